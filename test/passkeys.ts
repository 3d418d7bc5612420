import { generateKeyPairSync, sign } from 'node:crypto';
import { isoCBOR } from '@simplewebauthn/server/helpers';

export interface Behaviour {
  /** The requesting page, if it is not the server's own. */
  origin?: string;
  /** True if a PIN or fingerprint was requested. */
  isVerified?: boolean;
}

/** The options that a server sends to a browser. */
type Options = Record<string, unknown> | undefined;

const FLAGS = { userPresent: 1, userVerified: 4, hasCredential: 64 };

const base64url = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64url');
const sha256 = (data: Uint8Array | string) => new Bun.CryptoHasher('sha256').update(data).digest();

/** An authenticator with one ES256 key for the site of `ownOrigin`, and the browser in front of it. */
export function createAuthenticator(ownOrigin: string) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const id = crypto.getRandomValues(new Uint8Array(16));
  const relyingParty = sha256(new URL(ownOrigin).hostname);
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const key = new Map<number, number | Uint8Array>([
    [1, 2],
    [3, -7],
    [-1, 1],
    [-2, new Uint8Array(Buffer.from(x, 'base64url'))],
    [-3, new Uint8Array(Buffer.from(y, 'base64url'))],
  ]);
  const authData = (flags: number, rest: readonly Uint8Array[] = []) =>
    Buffer.concat([relyingParty, Buffer.from([flags, 0, 0, 0, 0]), ...rest]);
  const answer = (response: object) => {
    const named = { id: base64url(id), rawId: base64url(id) };
    return { ...named, type: 'public-key', clientExtensionResults: {}, response };
  };
  const clientData = (type: string, options: Options, origin: string) =>
    JSON.stringify({ type, challenge: options?.['challenge'], origin, crossOrigin: false });

  return {
    /** Responds to the options that add a passkey, without attestation. */
    create: (options: Options) => {
      const flags = FLAGS.userPresent | FLAGS.userVerified | FLAGS.hasCredential;
      const credential = [Buffer.alloc(16), Buffer.from([0, id.length]), id, isoCBOR.encode(key)];
      const attestation = new Map<string, string | Uint8Array | Map<string, string>>([
        ['fmt', 'none'],
        ['attStmt', new Map<string, string>()],
        ['authData', new Uint8Array(authData(flags, credential))],
      ]);
      return answer({
        attestationObject: base64url(isoCBOR.encode(attestation)),
        clientDataJSON: base64url(clientData('webauthn.create', options, ownOrigin)),
        transports: ['internal'],
      });
    },
    /** Answers the options of a sign-in. */
    get: (options: Options, { origin = ownOrigin, isVerified = true }: Behaviour = {}) => {
      const data = authData(FLAGS.userPresent | (isVerified ? FLAGS.userVerified : 0));
      const client = clientData('webauthn.get', options, origin);
      const signature = sign('sha256', Buffer.concat([data, sha256(client)]), privateKey);
      return answer({
        authenticatorData: base64url(data),
        clientDataJSON: base64url(client),
        signature: base64url(signature),
      });
    },
  };
}
