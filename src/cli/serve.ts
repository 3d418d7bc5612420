import { firstAdminCommand } from '../core/config/first-admin.ts';
import { startServer } from '../server.ts';
import type { Command } from './command.ts';
import { configOf, openLog } from './open.ts';
import { openProject } from './project/open.ts';
import { untilSignal } from './signals.ts';

/** Time to wait for the reader of the log when stopping. */
const LOG_PATIENCE_MS = 1_000;

export const serve: Command = {
  name: 'serve',
  summary: 'Serve the API.',
  help: `Opens the database in the data directory (created if necessary), migrates it and listens. SIGINT,
SIGTERM, SIGQUIT or SIGXCPU stops the server: requests in progress finish, for at most
HUTCH_SHUTDOWN_SECONDS; a second signal ends it at once. SIGHUP stops it on a terminal and is logged
elsewhere. SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF and SIGIO are only logged. See hutch settings
for every setting. Resources of your own are loaded from --resources-dir; the server does not start
if one of them has a fault. The first admin is created at start from HUTCH_ADMIN_EMAIL, HUTCH_ADMIN_USERNAME
and HUTCH_ADMIN_PASSWORD (or HUTCH_ADMIN_PASSWORD_FILE), or by hutch admin create.`,
  flags: {},
  settings: ['host', 'port', 'dataDir', 'resourcesDir', 'logLevel'],
  isServer: true,
  run: async (invocation) => {
    const config = configOf(invocation);
    const { log, flush } = openLog(config);
    const stopped = untilSignal(invocation.abort, log);
    const project = await openProject(config);
    const server = await startServer(config, log, project);
    const { url, deps } = server;
    log.info('Listening.', { url, docs: `${url}/docs` });
    if (!(await deps.users.hasAdmin())) {
      log.info('There is no admin yet. Create one.', {
        command: firstAdminCommand(config.dataDir),
      });
    }
    const signal = await stopped;
    log.info('Stopping.', { signal });
    await server.stop();
    log.info('Stopped.');
    await flush(LOG_PATIENCE_MS);
    // Unread log lines and unanswered DNS lookups would prevent the process from ending.
    invocation.abort(0);
    return 0;
  },
};
