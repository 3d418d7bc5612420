import { isoCBOR } from '@simplewebauthn/server/helpers';

/** What the browser is asked for when a passkey is added. */
interface CreationOptions {
  challenge: string;
}

const FLAGS = { userPresent: 1, userVerified: 4, hasCredential: 64 };
const base64url = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64url');

/** Answers as an authenticator does that vouches for nothing, with a new ES256 key. */
export async function newPasskey({ challenge }: CreationOptions, origin: string) {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const { publicKey } = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const { x = '', y = '' } = await crypto.subtle.exportKey('jwk', publicKey);
  const key = new Map<number, number | Uint8Array>([
    [1, 2],
    [3, -7],
    [-1, 1],
    [-2, new Uint8Array(Buffer.from(x, 'base64url'))],
    [-3, new Uint8Array(Buffer.from(y, 'base64url'))],
  ]);
  const id = crypto.getRandomValues(new Uint8Array(16));
  const relyingParty = new Bun.CryptoHasher('sha256').update(new URL(origin).hostname).digest();
  const flags = FLAGS.userPresent | FLAGS.userVerified | FLAGS.hasCredential;
  const authData = Buffer.concat([
    relyingParty,
    Buffer.from([flags, 0, 0, 0, 0]),
    Buffer.alloc(16),
    Buffer.from([0, id.length]),
    id,
    isoCBOR.encode(key),
  ]);
  const attestation = new Map<string, string | Uint8Array | Map<string, string>>([
    ['fmt', 'none'],
    ['attStmt', new Map<string, string>()],
    ['authData', new Uint8Array(authData)],
  ]);
  const clientData = { type: 'webauthn.create', challenge, origin, crossOrigin: false };
  return {
    id: base64url(id),
    rawId: base64url(id),
    type: 'public-key',
    clientExtensionResults: {},
    response: {
      attestationObject: base64url(isoCBOR.encode(attestation)),
      clientDataJSON: base64url(JSON.stringify(clientData)),
      transports: ['internal'],
    },
  };
}
