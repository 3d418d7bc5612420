import {
  type AuthorizationRequest,
  type CodeExchange,
  fault,
  type ProviderCalls,
  type ProviderClient,
  type ProviderProfile,
} from './client.ts';

interface Endpoints {
  authorize: string;
  token: string;
}

const GITHUB = {
  authorize: 'https://github.com/login/oauth/authorize',
  token: 'https://github.com/login/oauth/access_token',
};
const DISCORD = {
  authorize: 'https://discord.com/oauth2/authorize',
  token: 'https://discord.com/api/oauth2/token',
};

/** GitHub sends no ID token; its API returns the owner of an access token. */
export const github = (client: ProviderClient, { getJson, run }: ProviderCalls) =>
  oauth(client, GITHUB, async (headers) => {
    const [user, emails] = await Promise.all([
      getJson('https://api.github.com/user', headers),
      getJson('https://api.github.com/user/emails', headers),
    ]);
    return run(async () => githubProfile(user, emails));
  });

/** Discord works like GitHub. */
export const discord = (client: ProviderClient, { getJson, run }: ProviderCalls) =>
  oauth(client, DISCORD, async (headers) => {
    const user = await getJson('https://discord.com/api/users/@me', headers);
    return run(async () => discordProfile(user));
  });

type ReadProfile = (headers: Record<string, string>) => Promise<ProviderProfile>;

function oauth(client: ProviderClient, endpoints: Endpoints, read: ReadProfile) {
  return {
    begin: async (request: AuthorizationRequest): Promise<URL> =>
      client.authorizationUrl(endpoints.authorize, request),
    finish: async (exchange: CodeExchange): Promise<ProviderProfile> => {
      const tokens = await client.exchange(endpoints.token, exchange);
      return read({ authorization: `Bearer ${tokens.accessToken}` });
    },
  };
}

function githubProfile(user: unknown, emails: unknown): ProviderProfile {
  const { id, login } = (user ?? {}) as { id?: unknown; login?: unknown };
  if (!Number.isSafeInteger(id) || !Array.isArray(emails)) throw fault('It sent no user');
  const primary: { email?: unknown; verified?: unknown } | undefined = emails.find(
    (it) => it?.primary === true,
  );
  return {
    subject: String(id),
    email: typeof primary?.email === 'string' ? primary.email : null,
    is_email_verified: primary?.verified === true,
    names: typeof login === 'string' ? [login] : [],
  };
}

function discordProfile(user: unknown): ProviderProfile {
  const { id, username, email, verified } = (user ?? {}) as Record<string, unknown>;
  if (typeof id !== 'string' || !/^\d{1,30}$/.test(id)) throw fault('It sent no user');
  return {
    subject: id,
    email: typeof email === 'string' ? email : null,
    is_email_verified: verified === true,
    names: typeof username === 'string' ? [username] : [],
  };
}
