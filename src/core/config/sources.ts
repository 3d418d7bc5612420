import { keyBytes } from '../security/secret-box.ts';
import { type Parsed, setting } from './setting.ts';

const key = (value: string): Parsed<string> =>
  keyBytes(value) ? { value } : { problem: 'must be 32 bytes in base64 or hex' };

/** The settings of sources, third-party APIs that are called by name. */
export const SOURCE_SETTINGS = {
  secretsKey: setting(
    'HUTCH_SECRETS_KEY',
    '',
    key,
    "Key of the sources' secrets, 32 bytes in base64 or hex; none: data/secrets.key, created when needed.",
    { secret: true },
  ),
  secretsKeyOld: setting(
    'HUTCH_SECRETS_KEY_OLD',
    '',
    key,
    'The previous key, until hutch sources rekey has run.',
    { secret: true },
  ),
};
