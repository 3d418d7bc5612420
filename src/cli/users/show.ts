import { oneLine } from '../../utils/text/text.ts';
import { ACCOUNT, type Command, operandOf } from '../command.ts';
import { withDeps } from '../open.ts';
import { print } from '../output.ts';

export const usersShow: Command = {
  name: 'users show',
  operand: ACCOUNT,
  summary: 'Show an account.',
  help: `${ACCOUNT} is its id, email or username. Shows the account, its credentials and its stored
data. Works while a server is running.`,
  flags: { json: { help: 'Print a JSON object.' } },
  settings: ['dataDir'],
  run: (invocation) =>
    withDeps(invocation, async ({ operator }) => {
      const user = await operator.get(operandOf(invocation));
      const details = await operator.details(user);
      const isJson = invocation.switches.has('json');
      await print(isJson ? JSON.stringify(details, null, 2) : listOf(details));
      return 0;
    }),
};

function listOf(details: object): string {
  const entries = Object.entries(details);
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => `${name.padEnd(width)}  ${textOf(value)}`).join('\n');
}

function textOf(value: unknown): string {
  if (value === null) return '-';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.length > 0 ? value.join(', ') : '-';
  return oneLine(String(value));
}
