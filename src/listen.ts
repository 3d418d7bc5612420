import type { Config } from './core/config/config.ts';
import type { Deps } from './core/deps.ts';
import { StartupError } from './core/exceptions.ts';
import { reasonOf } from './utils/system-error.ts';

/** Creates the first admin if the settings name one. Throws StartupError. */
export async function ensureAdmin(config: Config, { operator }: Deps): Promise<void> {
  const { adminEmail: email, adminUsername: username, adminPassword: password } = config;
  if (email !== '') await operator.ensureAdmin({ email, username, password });
}

/** Starts the jobs. The claim of the data directory excludes other servers. */
export function startWork({ jobs, webhookWorker }: Deps): void {
  webhookWorker.start();
  jobs.start({ isAlone: true });
}

/** Ends all event streams. Their clients reconnect. */
export function endStreams({ itemEvents }: Deps): void {
  itemEvents.stop();
}

/** Returns how to listen, for Elysia and Bun. */
export function serveOptions({ host, port, idleSeconds }: Config) {
  return {
    hostname: host,
    port,
    development: false,
    reusePort: false,
    idleTimeout: idleSeconds,
    // The limit is checked in api/request/body.ts, which returns our error format.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
  };
}

/** Returns the result of `listen`. Throws StartupError if the address and port cannot be used. */
export function listening<T>({ host, port }: Config, listen: () => T): T {
  try {
    return listen();
  } catch (error) {
    const isPrivileged = port > 0 && port < 1024 && (error as { code?: string }).code === 'EACCES';
    const hint = isPrivileged ? ' A port below 1024 needs root or CAP_NET_BIND_SERVICE.' : '';
    throw new StartupError(`Cannot listen on ${host}:${port}: ${reasonOf(error)}.${hint}`);
  }
}
