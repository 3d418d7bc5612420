import { AppError } from '../core/exceptions.ts';
import { type Sealer, type SecretBox, SecretError } from '../core/security/secret-box.ts';

/** What seals responses that show a secret; as `SecretBox.sealer`. Throws secrets_unreadable. */
export function answerSealer(box: SecretBox): Sealer {
  try {
    return box.sealer();
  } catch (error) {
    throw unreadable(error);
  }
}

/** A response that was sealed. Throws secrets_unreadable. */
export async function openAnswer(box: SecretBox, sealed: string, binding: string): Promise<string> {
  try {
    return await box.open(sealed, binding);
  } catch (error) {
    throw unreadable(error);
  }
}

/** The reason is in the cause, for the log alone. */
function unreadable(error: unknown): unknown {
  if (!(error instanceof SecretError)) return error;
  const message = 'The response cannot be stored or read with the key of this server';
  return new AppError('secrets_unreadable', message, { cause: error });
}
