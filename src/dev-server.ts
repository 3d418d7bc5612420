import { createApp } from './app.ts';
import type { Config } from './core/config/config.ts';
import { claimDataDir, databasePath } from './core/db/data-dir.ts';
import { createDeps, type Deps } from './core/deps.ts';
import type { Log } from './core/log.ts';
import { endStreams, ensureAdmin, listening, serveOptions, startWork } from './listen.ts';
import type { Project } from './project/project.ts';

/** The longest wait for running requests before a reload closes the database under them. */
const DRAIN_MS = 5_000;
const POLL_MS = 5;

export interface DevServer {
  url: string;
  /** The components of the version that is being served. */
  deps(): Deps;
  /**
   * Serves another project. New requests wait until the running ones have finished; event streams
   * end, and their clients reconnect. If it cannot be served, throws the reason and serves the previous
   * one.
   */
  reload(project: Project): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server whose project can be replaced. Throws StartupError. */
export async function createDevServer(
  config: Config,
  log: Log,
  project: Project,
): Promise<DevServer> {
  databasePath(config.dataDir);
  const release = claimDataDir(config.dataDir);
  const gate = createGate();
  let version = await openVersion(config, log, project).catch((error) => {
    release();
    throw error;
  });
  const fetch = async (request: Request) => {
    await gate.passed();
    return version.app.fetch(request);
  };
  const server = listening(config, () => Bun.serve({ ...serveOptions(config), fetch }));
  const begin = () => {
    version.app.server = server;
    version.deps.listening.port = server.port ?? config.port;
    startWork(version.deps);
  };
  const close = async () => {
    endStreams(version.deps);
    const untilMs = performance.now() + DRAIN_MS;
    const isBusy = () => server.pendingRequests > gate.waiting();
    while (isBusy() && performance.now() < untilMs) await Bun.sleep(POLL_MS);
    await version.deps.close();
  };
  const replace = async (next: Project) => {
    const previous = version.project;
    await close();
    try {
      version = await openVersion(config, log, next);
    } catch (error) {
      version = await openVersion(config, log, previous);
      throw error;
    } finally {
      begin();
    }
  };
  begin();
  return {
    url: server.url.href.replace(/\/$/, ''),
    deps: () => version.deps,
    reload: async (next) => {
      gate.close();
      await replace(next).finally(gate.open);
    },
    stop: async () => {
      await close();
      await server.stop(true);
      release();
    },
  };
}

/** A project and the application that serves it. */
async function openVersion(config: Config, log: Log, project: Project) {
  const deps = createDeps(config, { log, ...project });
  try {
    await ensureAdmin(config, deps);
    return { project, deps, app: createApp(deps) };
  } catch (error) {
    await deps.close();
    throw error;
  }
}

/** Lets requests pass, or wait while it is closed. */
function createGate() {
  let opened: PromiseWithResolvers<void> | undefined;
  let waiting = 0;
  return {
    close: () => {
      opened = Promise.withResolvers();
    },
    open: () => {
      opened?.resolve();
      opened = undefined;
    },
    waiting: () => waiting,
    passed: async () => {
      if (!opened) return;
      waiting++;
      await opened.promise;
      waiting--;
    },
  };
}
