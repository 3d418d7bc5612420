import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';

/** The identity that the provider asserts. */
export interface Person {
  sub: string;
  email?: string;
  email_verified?: boolean;
  preferred_username?: string;
}

const CLIENT = { client_id: 'hutch', client_secret: 'the-hutch-secret' };

/**
 * A real OpenID provider on a free port: PKCE required, redirect URIs exact, every code good
 * once. Every visitor is signed in as `person` without interaction.
 */
export async function openidProvider(redirect_uris: string[]) {
  const people = new Map<string, Person>();
  const state: { person: Person } = { person: { sub: 'nobody' } };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [{ ...CLIENT, redirect_uris }],
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['preferred_username'],
    },
    scopes: ['openid', 'email', 'profile'],
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: async () => ({ ...(people.get(sub) ?? { sub }) }),
    }),
  });
  const callback = provider.callback();

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    if (!request.url?.startsWith('/interaction/')) return callback(request, response);
    const { prompt, params } = await provider.interactionDetails(request, response);
    if (prompt.name === 'login') {
      const login = { accountId: state.person.sub };
      return provider.interactionFinished(request, response, { login });
    }
    const grant = new provider.Grant({
      accountId: state.person.sub,
      clientId: String(params['client_id']),
    });
    grant.addOIDCScope(String(params['scope']));
    const consent = { grantId: await grant.save() };
    return provider.interactionFinished(request, response, { consent });
  };

  const become = (person: Person) => {
    people.set(person.sub, person);
    state.person = person;
  };
  return {
    issuer,
    /** Sets the person that every visitor is signed in as. */
    become,
    settings: {
      oidcIssuer: issuer,
      oidcClientId: CLIENT.client_id,
      oidcClientSecret: CLIENT.client_secret,
    },
    /** Signs `person` in at the provider and returns the URL that the browser is redirected to. */
    browse: (authorizationUrl: string, person: Person): Promise<URL> => {
      become(person);
      return browse(authorizationUrl, issuer);
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Follows redirects as a browser without a session there, until they leave `origin`. */
async function browse(start: string, origin: string): Promise<URL> {
  const cookies = new Map<string, string>();
  let url = new URL(start);
  for (let hop = 0; hop < 10; hop++) {
    if (url.origin !== origin) return url;
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = line.match(/^([^=]+)=([^;]*)/) ?? [];
      cookies.set(name, value);
    }
    const location = answer.headers.get('location');
    if (location === null) throw new Error(`${answer.status} ${await answer.text()}`);
    url = new URL(location, url);
  }
  throw new Error('Too many redirects');
}

/** The parameters of the redirect. */
export function answerIn(url: URL): { code: string; state: string } {
  const { code = '', state = '' } = Object.fromEntries(url.searchParams);
  return { code, state };
}
