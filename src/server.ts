import { createApp } from './app.ts';
import type { Config } from './core/config/config.ts';
import { startWarnings } from './core/config/warnings.ts';
import { claimDataDir, databasePath } from './core/db/data-dir.ts';
import { createDeps, type Deps } from './core/deps.ts';
import { watchDescriptors } from './core/descriptors.ts';
import { StartupError } from './core/exceptions.ts';
import { trimWhenIdle } from './core/idle-memory.ts';
import type { Log } from './core/log.ts';
import { reasonOf } from './utils/system-error.ts';

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

/** Claims the data directory, opens the database and listens. Throws StartupError. */
export async function startServer(config: Config, log: Log): Promise<RunningServer> {
  databasePath(config.dataDir);
  const release = claimDataDir(config.dataDir);
  const deps = createDeps(config, { log });
  try {
    await ensureAdmin(config, deps);
    for (const warning of startWarnings(config)) log.warn(warning);
    const app = listen(config, deps);
    const server = app.server as NonNullable<typeof app.server>;
    deps.listening.port = server.port ?? config.port;
    // The claim of the data directory excludes other servers.
    deps.jobs.start({ isAlone: true });
    const unwatch = watchDescriptors({ log, closeIdle: () => server.closeIdleConnections() });
    const endTrimming = trimWhenIdle(deps.db.shrink);
    const stop = async () => {
      const timeoutMs = config.shutdownSeconds * 1000;
      const timeout = setTimeout(() => void server.stop(true), timeoutMs);
      // Streams never end by themselves, so the stop would wait for them until the timeout.
      deps.itemEvents.stop();
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

/** Creates the first admin if the settings name one. Throws StartupError. */
async function ensureAdmin(config: Config, { operator }: Deps): Promise<void> {
  const { adminEmail: email, adminUsername: username, adminPassword: password } = config;
  if (email !== '') await operator.ensureAdmin({ email, username, password });
}

function listen(config: Config, deps: Deps) {
  const app = createApp(deps);
  try {
    return app.listen({
      hostname: config.host,
      port: config.port,
      development: false,
      reusePort: false,
      idleTimeout: config.idleSeconds,
      // The limit is checked in api/request/body.ts, which returns our error format.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    });
  } catch (error) {
    const { host, port } = config;
    const isPrivileged = port > 0 && port < 1024 && (error as { code?: string }).code === 'EACCES';
    const hint = isPrivileged ? ' A port below 1024 needs root or CAP_NET_BIND_SERVICE.' : '';
    throw new StartupError(`Cannot listen on ${host}:${port}: ${reasonOf(error)}.${hint}`);
  }
}
