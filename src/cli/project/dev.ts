import { join } from 'node:path';
import type { Config } from '../../core/config/config.ts';
import { firstAdminCommand } from '../../core/config/first-admin.ts';
import { previewUpgrade } from '../../core/db/db.ts';
import { folderSchemaOf } from '../../core/deps.ts';
import type { Log, LogFields } from '../../core/log.ts';
import { createDevServer, type DevServer } from '../../dev-server.ts';
import { refreshDeclarations } from '../../project/declarations.ts';
import { faultOf, withPlace } from '../../project/faults.ts';
import { type LoadedProject, loadProject, rootOf } from '../../project/load.ts';
import { watchFiles } from '../../project/watch.ts';
import { rehearse } from '../../rehearsal.ts';
import type { Command } from '../command.ts';
import { configOf, openLog } from '../open.ts';
import { untilSignal } from '../signals.ts';

const LOG_PATIENCE_MS = 1_000;

export const dev: Command = {
  name: 'dev',
  summary: 'Serve the API and reload your resources when you save them.',
  help: `Does what hutch serve does, and loads the resources again when one of their files changes. Running
requests finish first; event streams end and reconnect. If a file has a fault, or a change of the
schema is refused, it prints the place and continues to serve the last good version.`,
  flags: {},
  settings: ['host', 'port', 'dataDir', 'resourcesDir', 'logLevel'],
  isServer: true,
  run: async (invocation) => {
    const config = configOf(invocation);
    const { log, flush } = openLog(config);
    const stopped = untilSignal(invocation.abort, log);
    const root = rootOf(config.resourcesDir);
    await refreshDeclarations(root);
    const session = createSession(config, withFaults(log, root));
    const dirs = [config.resourcesDir, join(root, 'migrations')];
    const unwatch = watchFiles({ dirs, files: session.files }, session.refresh);
    log.info('Stopping.', { signal: await stopped });
    unwatch();
    await session.stop();
    await flush(LOG_PATIENCE_MS);
    invocation.abort(0);
    return 0;
  },
};

/** Serves the last version of the project that could be served. */
function createSession(config: Config, log: Log) {
  const { resourcesDir } = config;
  const root = rootOf(resourcesDir);
  let server: DevServer | undefined;
  let files: string[] = [];
  const serveProject = async (project: LoadedProject) => {
    const { resources } = project;
    files = project.files;
    const names = Object.keys(resources).join(', ');
    if (server) {
      // Almost every fault shows before the running version is touched.
      await withPlace(root, () => rehearse(config, project));
      previewUpgrade(join(config.dataDir, 'hutch.db'), folderSchemaOf(project));
      await withPlace(root, async () => server?.reload(project));
      log.info('Reloaded.', { resources: names });
      return;
    }
    server = await withPlace(root, () => createDevServer(config, log, project));
    const { url } = server;
    log.info('Listening.', { url, docs: `${url}/docs`, resources: names });
    await suggestAdmin(server, config, log);
  };
  return {
    files: () => files,
    refresh: async () => {
      try {
        await serveProject(await loadProject(resourcesDir));
      } catch (error) {
        report(error, server !== undefined);
      }
    },
    stop: async () => server?.stop(),
  };
}

function report(error: unknown, isServing: boolean): void {
  const text = error instanceof Error ? error.message : String(error);
  const state = isServing
    ? 'The last good version is still being served.'
    : 'Nothing is served yet.';
  console.error(`\n${text}\n\n${state} Waiting for changes.`);
}

async function suggestAdmin(server: DevServer, { dataDir }: Config, log: Log): Promise<void> {
  if (await server.deps().users.hasAdmin()) return;
  log.info('There is no admin yet. Create one.', { command: firstAdminCommand(dataDir) });
}

/** Returns a log that also prints the place of an error in the project's files. */
function withFaults(log: Log, root: string): Log {
  return {
    ...log,
    error: (message: string, fields: LogFields = {}) => {
      log.error(message, fields);
      const fault = faultOf(fields['error'], root);
      if (fault !== undefined) console.error(`\n${fault}\n`);
    },
  };
}
