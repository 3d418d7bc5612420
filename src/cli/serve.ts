import { firstAdminCommand } from '../core/config/first-admin.ts';
import { startServer } from '../server.ts';
import { type Command, configOf, openLog } from './command.ts';
import { untilSignal } from './signals.ts';

/** How long a stop waits for whoever reads the log. */
const LOG_PATIENCE_MS = 1_000;

export const serve: Command = {
  name: 'serve',
  summary: 'Serve the API.',
  help: `Opens the database in the data directory (created if it is not there), migrates it, listens, and
stops on SIGINT, SIGTERM, SIGQUIT or SIGXCPU: requests in progress are finished, for at most
HUTCH_SHUTDOWN_SECONDS; a second signal ends it at once. SIGHUP stops it when it runs on a terminal;
elsewhere SIGHUP, and always SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF and SIGIO, are logged only. hutch settings shows every
setting. The first admin is created at start from HUTCH_ADMIN_EMAIL, HUTCH_ADMIN_USERNAME and
HUTCH_ADMIN_PASSWORD (or
HUTCH_ADMIN_PASSWORD_FILE), or by hutch admin create.`,
  flags: {},
  settings: ['host', 'port', 'dataDir', 'logLevel'],
  run: async (invocation) => {
    const config = configOf(invocation);
    const { log, flush } = openLog(config);
    const stopped = untilSignal(invocation.abort, log);
    const server = await startServer(config, log);
    const { url, deps } = server;
    log.info('Listening.', { url, docs: `${url}/docs` });
    if (!(await deps.users.hasAdmin())) {
      log.info('There is no admin yet. Make one.', { command: firstAdminCommand(config.dataDir) });
    }
    const signal = await stopped;
    log.info('Stopping.', { signal });
    await server.stop();
    log.info('Stopped.');
    await flush(LOG_PATIENCE_MS);
    // Lines that nobody reads and names that nobody answers for would keep the process alive.
    invocation.abort(0);
    return 0;
  },
};
