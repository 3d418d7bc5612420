import type { Config } from '../src/core/config/config.ts';
import { answerIn, openidProvider, type Person } from './openid.ts';
import { type TestApp, testApp } from './support.ts';

const ORIGIN = 'http://localhost';

/** An application that people sign in to by a real OpenID provider. */
export async function outsidersApp(config: Partial<Config> = {}) {
  const openid = await openidProvider([`${ORIGIN}/sign-in`]);
  const t = await testApp({ config: { publicUrl: ORIGIN, ...openid.settings, ...config } });
  const { identities } = t.client.api.v2.auth;
  /** Continues up to the page that the browser returns to. */
  const come = async (person: Person) => {
    const begun = await identities.login.options.post({ provider: 'oidc' });
    const { flow, authorization_url } = begun.data as { flow: string; authorization_url: string };
    return { flow, ...answerIn(await openid.browse(authorization_url, person)) };
  };
  return {
    t,
    openid,
    come,
    signIn: async (person: Person) => identities.login.post(await come(person)),
    /** Links `person` to the account of `client`, from the first step to the last. */
    link: async (client: TestApp['client'], person: Person, password: string) => {
      const own = client.api.v2.auth.identities;
      const begun = await own.options.post({ provider: 'oidc', password });
      if (!begun.data) return begun;
      const { flow, authorization_url } = begun.data;
      return own.post({ flow, ...answerIn(await openid.browse(authorization_url, person)) });
    },
    actions: async () => {
      const rows = t.deps.db.client.query('select action from audit_log order by id').values();
      return rows.map(([action]) => String(action));
    },
    [Symbol.asyncDispose]: async () => {
      await t[Symbol.asyncDispose]();
      await openid[Symbol.asyncDispose]();
    },
  };
}

/** A profile of the provider with a verified address `name@example.com`. */
export function person(name: string, more: Partial<Person> = {}): Person {
  const email = `${name}@example.com`;
  return { sub: `id-of-${name}`, email, email_verified: true, preferred_username: name, ...more };
}

/** Proves or disproves the address of an account. */
export function setVerified({ deps }: TestApp, username: string, isVerified = true): void {
  const at = isVerified ? new Date().toISOString() : null;
  deps.db.client.run('update users set email_verified_at = ? where username = ?', [at, username]);
}

/** Pretends that the account has an authenticator. */
export function turnTotpOn({ deps }: TestApp, user_id: number): void {
  const at = new Date().toISOString();
  const values = [user_id, 'JBSWY3DPEHPK3PXP', at, at];
  deps.db.client.run(
    `insert into totps (user_id, secret, confirmed_at, created_at, last_step) values (?, ?, ?, ?, 0)`,
    values,
  );
}
