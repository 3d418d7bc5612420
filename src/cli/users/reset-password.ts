import { newToken } from '../../core/security/security.ts';
import { accountLine } from '../account-line.ts';
import { ACCOUNT, type Command, operandOf } from '../command.ts';
import { withDeps } from '../open.ts';
import { print } from '../output.ts';

const GENERATED_LENGTH = 20;

export const usersResetPassword: Command = {
  name: 'users reset-password',
  operand: ACCOUNT,
  summary: 'Let the owner of an account choose a new password.',
  help: `${ACCOUNT} is its id, email or username. Prints a link for the owner that works once, for 30
minutes; the old password stays valid until they choose a new one. With --generate, sets a new
password and prints it once. Either way all sessions and personal access tokens end immediately, also
on a running server. Second factors stay.`,
  flags: { generate: { help: 'Set a generated password instead of printing a link.' } },
  settings: ['dataDir', 'host', 'port'],
  run: (invocation) =>
    withDeps(invocation, async ({ operator, now }) => {
      const user = await operator.get(operandOf(invocation));
      const line = accountLine(user, now());
      if (invocation.switches.has('generate')) {
        const password = newToken().slice(0, GENERATED_LENGTH);
        await operator.setPassword(user, password);
        await print(`${line} has a new password. All its sessions and tokens have ended.`);
        await print(`Password: ${password}`);
        return 0;
      }
      const link = await operator.resetByLink(user);
      await print(`All sessions and tokens of ${line} have ended.`);
      await print(`Link: ${link}`);
      return 0;
    }),
};
