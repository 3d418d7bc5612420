import { SYSTEM } from '../../core/actor.ts';
import { type Command, operandOf, UsageError } from '../command.ts';
import { withDeps } from '../open.ts';
import { print } from '../output.ts';

export const jobsRetry: Command = {
  name: 'jobs retry',
  operand: 'ID',
  summary: 'Run a dead letter again.',
  help: `Makes a job that was given up due at once, as if it had never run. A running server starts it within
5 seconds. A mail that was given up cannot be retried, because its text was deleted.`,
  flags: {},
  settings: ['dataDir'],
  run: async (invocation) => {
    const id = Number(operandOf(invocation));
    if (!Number.isSafeInteger(id) || id < 1)
      throw new UsageError('ID must be the number of a job.');
    return withDeps(invocation, async ({ jobControl }) => {
      const { name } = await jobControl.retry(SYSTEM, id);
      await print(`The job ${id} (${name}) waits to run again.`);
      return 0;
    });
  },
};
