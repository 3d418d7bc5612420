import { createApp } from './app.ts';
import type { Config } from './core/config/config.ts';
import { startWarnings } from './core/config/warnings.ts';
import { claimDataDir, databasePath } from './core/db/data-dir.ts';
import { createDeps, type Deps } from './core/deps.ts';
import { watchDescriptors } from './core/descriptors.ts';
import { trimWhenIdle } from './core/idle-memory.ts';
import type { Log } from './core/log.ts';
import { endStreams, ensureAdmin, listening, serveOptions, startWork } from './listen.ts';
import type { Project } from './project/project.ts';

/**
 * The time for which a stopping server still responds, so that clients close their connections and a
 * load balancer sees that the server is no longer ready.
 */
const DRAINING_MS = 500;

export interface RunningServer {
  url: string;
  deps: Deps;
  /** Waits for running requests, up to `shutdownSeconds`, then closes everything. */
  stop(): Promise<void>;
}

/**
 * Claims the data directory, opens the database and serves the API with a project. Throws
 * StartupError.
 */
export async function startServer(
  config: Config,
  log: Log,
  project: Project,
): Promise<RunningServer> {
  databasePath(config.dataDir);
  const release = claimDataDir(config.dataDir);
  const deps = createDeps(config, { log, ...project });
  try {
    await ensureAdmin(config, deps);
    for (const warning of startWarnings(config)) log.warn(warning);
    const app = createApp(deps);
    listening(config, () => app.listen(serveOptions(config)));
    const server = app.server as NonNullable<typeof app.server>;
    deps.listening.port = server.port ?? config.port;
    startWork(deps);
    const unwatch = watchDescriptors({ log, closeIdle: () => server.closeIdleConnections() });
    const endTrimming = trimWhenIdle(deps.db.shrink);
    const stop = async () => {
      const timeoutMs = config.shutdownSeconds * 1000;
      const timeout = setTimeout(() => void server.stop(true), timeoutMs);
      // Streams never end by themselves, so the stop would wait for them until the timeout.
      endStreams(deps);
      deps.lifecycle.isStopping = true;
      await Bun.sleep(Math.min(DRAINING_MS, timeoutMs));
      await server.stop();
      clearTimeout(timeout);
      unwatch();
      endTrimming();
      await deps.close();
      release();
    };
    return { url: server.url.href.replace(/\/$/, ''), deps, stop };
  } catch (error) {
    await deps.close();
    release();
    throw error;
  }
}
