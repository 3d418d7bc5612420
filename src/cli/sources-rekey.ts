import { type Command, configOf, openDeps, UsageError } from './command.ts';

export const sourcesRekey: Command = {
  name: 'sources rekey',
  summary: 'Encrypt the secrets of sources with a new key.',
  help: `Set HUTCH_SECRETS_KEY to the new key, and HUTCH_SECRETS_KEY_OLD to the one before; without the
latter, secrets of data/secrets.key are read by that file. Each secret is opened by the key that
sealed it and sealed by the new one; no version changes. Servers that know both keys go on
meanwhile. Ends with 1 and names the sources whose secrets no key here opens: those are left as
they are. Afterwards the old key can be forgotten.`,
  flags: {},
  settings: ['dataDir'],
  run: async (invocation) => {
    const config = configOf(invocation);
    if (config.secretsKey === '') throw new UsageError('HUTCH_SECRETS_KEY is needed: the new key.');
    const deps = openDeps(config);
    try {
      const { resealed, unreadable } = await deps.sourceRekey.run();
      for (const name of unreadable) {
        console.error(`No key here opens the secrets of the source ${name}.`);
      }
      console.log(`Sources sealed anew: ${resealed.length}, unreadable: ${unreadable.length}.`);
      return unreadable.length > 0 ? 1 : 0;
    } finally {
      await deps.close();
    }
  },
};
