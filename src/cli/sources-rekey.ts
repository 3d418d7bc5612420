import { type Command, UsageError } from './command.ts';
import { configOf, openDeps } from './open.ts';
import { print } from './output.ts';

export const sourcesRekey: Command = {
  name: 'sources rekey',
  summary: 'Encrypt the secrets of sources and webhooks with a new key.',
  help: `Set HUTCH_SECRETS_KEY to the new key and HUTCH_SECRETS_KEY_OLD to the previous one; without the
latter, the key in data/secrets.key is used. Each secret is decrypted with the key that
encrypted it and encrypted with the new one; no version changes. Servers that have both keys
continue to work. If no known key opens the secrets of a source or webhook, they stay
unchanged, the command names it, and the exit status is 1. The old key is no longer needed once
the mails that were waiting have been sent.`,
  flags: {},
  settings: ['dataDir'],
  run: async (invocation) => {
    const config = configOf(invocation);
    if (config.secretsKey === '') throw new UsageError('Set HUTCH_SECRETS_KEY to the new key.');
    const deps = openDeps(config);
    try {
      const { resealed, unreadable } = await deps.sourceRekey.run();
      for (const name of unreadable) {
        console.error(`No known key opens the secrets of the source ${name}.`);
      }
      await print(`Sources encrypted: ${resealed.length}, unreadable: ${unreadable.length}.`);
      const webhooks = await deps.webhookRekey.run();
      for (const id of webhooks.unreadable) {
        console.error(`No known key opens the secrets of the webhook ${id}.`);
      }
      const [sealed, failed] = [webhooks.resealed.length, webhooks.unreadable.length];
      if (sealed + failed > 0) {
        await print(`Webhooks encrypted: ${sealed}, unreadable: ${failed}.`);
      }
      return unreadable.length + webhooks.unreadable.length > 0 ? 1 : 0;
    } finally {
      await deps.close();
    }
  },
};
