import { spyOn } from 'bun:test';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

type Answer = (request: Request) => Response | Promise<Response>;

const { publicKey, privateKey } = await generateKeyPair('RS256');
const stranger = await generateKeyPair('RS256');

export type Script = ReturnType<typeof scriptFetch>;

/**
 * Answers the calls of this process to outside hosts by a script, `METHOD URL` to answer, and
 * records the requests: `using script = scriptFetch()`.
 */
export function scriptFetch() {
  const answers = new Map<string, Answer>();
  const calls: { name: string; authorization: string | null; body: URLSearchParams }[] = [];
  const real = globalThis.fetch;
  const fake = async (input: string | URL | Request, init?: RequestInit) => {
    const request = new Request(namedUrl(String(input), init), init);
    const name = `${request.method} ${request.url}`;
    const body = new URLSearchParams(await request.clone().text());
    calls.push({ name, authorization: request.headers.get('authorization'), body });
    const answer = answers.get(name);
    return answer ? answer(request) : new Response('unscripted', { status: 404 });
  };
  const spy = spyOn(globalThis, 'fetch').mockImplementation(
    Object.assign(fake, { preconnect: real.preconnect }),
  );
  const lookup = spyOn(Bun.dns, 'lookup').mockResolvedValue([
    { address: '192.0.2.1', family: 4, ttl: 0 },
  ]);
  return {
    calls,
    on: (name: string, answer: Answer) => void answers.set(name, answer),
    json: (name: string, value: unknown) => void answers.set(name, () => Response.json(value)),
    [Symbol.dispose]: () => {
      spy.mockRestore();
      lookup.mockRestore();
    },
  };
}

/** The requested URL: the connection uses an address, and the Host header has the name. */
function namedUrl(dialled: string, init: RequestInit | undefined): string {
  const url = new URL(dialled);
  url.host = new Headers(init?.headers).get('host') ?? url.host;
  return url.href;
}

export interface ScriptedIssuer {
  issuer: string;
  /** The path of the discovery document, if not the default. */
  at?: string;
  authorize: string;
  token: string;
}

/** Scripts an OpenID provider, whose ID token is what `token` makes at each exchange. */
export async function scriptOpenid(
  script: Script,
  { issuer, at = issuer, authorize, token }: ScriptedIssuer,
  idToken: () => Promise<string> | string,
) {
  const jwks_uri = `${at}/keys`;
  script.json(`GET ${at}/.well-known/openid-configuration`, {
    ...{ issuer, authorization_endpoint: authorize, token_endpoint: token, jwks_uri },
  });
  const key = await exportJWK(publicKey);
  script.json(`GET ${jwks_uri}`, { keys: [{ ...key, kid: 'one', alg: 'RS256', use: 'sig' }] });
  script.on(`POST ${token}`, async () =>
    Response.json({ access_token: 'access', token_type: 'bearer', id_token: await idToken() }),
  );
}

export interface TokenOptions {
  expiresAt?: string | number;
  /** Signed by a key that is not the provider's. */
  isForged?: boolean;
}

/** An ID token, signed by the provider. */
export function signed(claims: Record<string, unknown>, options: TokenOptions = {}) {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid: 'one' })
    .setIssuedAt()
    .setExpirationTime(options.expiresAt ?? '5m')
    .sign(options.isForged ? stranger.privateKey : privateKey);
}
