import { accountLine } from '../account-line.ts';
import { ACCOUNT, type Command, operandOf } from '../command.ts';
import { withDeps } from '../open.ts';
import { print } from '../output.ts';

export const usersDisable: Command = stateCommand({
  name: 'users disable',
  summary: 'Disable an account.',
  help: `No one can sign in to it, and all its sessions and personal access tokens end immediately, also on a
running server. Its data stays. The last active admin cannot be disabled.`,
  isActive: false,
  done: 'All its sessions and tokens have ended.',
});

export const usersEnable: Command = stateCommand({
  name: 'users enable',
  summary: 'Enable an account that was disabled.',
  help: 'Its owner can sign in again with the same password. Earlier sessions and tokens stay ended.',
  isActive: true,
  done: 'It can sign in again.',
});

interface State {
  name: string;
  summary: string;
  help: string;
  isActive: boolean;
  /** Printed after the change. */
  done: string;
}

function stateCommand({ name, summary, help, isActive, done }: State): Command {
  const word = isActive ? 'enabled' : 'disabled';
  return {
    name,
    operand: ACCOUNT,
    summary,
    help: `${ACCOUNT} is its id, email or username. ${help}`,
    flags: {},
    settings: ['dataDir'],
    run: (invocation) =>
      withDeps(invocation, async ({ operator, now }) => {
        const user = await operator.get(operandOf(invocation));
        const line = accountLine(user, now());
        if (user.is_active === isActive) {
          await print(`${line} is already ${word}. Nothing was changed.`);
          return 0;
        }
        await operator.setActive(user, isActive);
        await print(`${line} is now ${word}. ${done}`);
        return 0;
      }),
  };
}
