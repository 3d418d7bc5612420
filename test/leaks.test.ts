import { describe, expect, test } from 'bun:test';
import { hashToken, newToken } from '../src/core/security/security.ts';
import { createLeaks } from './leaks.ts';

const PASSWORD = 'turnip "7" for tea';
const JSON_TYPE = new Headers({ 'content-type': 'application/json' });

function sent(body: unknown, headers: Record<string, string> = {}) {
  const leaks = createLeaks();
  leaks.request(new Headers(headers), typeof body === 'string' ? body : JSON.stringify(body));
  return leaks;
}

/** True if a leak is found in this response body. */
function leaksIn(leaks: ReturnType<typeof createLeaks>, body: string): boolean {
  try {
    leaks.answer(JSON_TYPE, body, 'GET /');
    return false;
  } catch {
    return true;
  }
}

describe('a leak', () => {
  test.each(['password', 'new_password', 'current_password', 'token'])(
    // proves: logs.times-are-utc-with-milliseconds-operator-synchronize-the
    'is what was sent as %s, in an answer and in a log line',
    (name) => {
      const leaks = sent({ login: 'ada', [name]: PASSWORD });
      expect(() => leaks.answer(JSON_TYPE, `{"input":${JSON.stringify(PASSWORD)}}`, '/')).toThrow(
        'A secret in the answer of /',
      );
      expect(() => leaks.log(`warn refused password=${PASSWORD}\n`, 'the log')).toThrow(
        'A secret in the log',
      );
      expect(leaks.takeFound()).toHaveLength(2);
      expect(leaks.takeFound()).toEqual([]);
    },
  );

  test('is what was sent by a form, and by a header', () => {
    const form = new URLSearchParams({ username: 'ada', password: PASSWORD });
    expect(leaksIn(sent(form.toString()), JSON.stringify({ detail: PASSWORD }))).toBe(true);
    const token = newToken();
    expect(leaksIn(sent('', { authorization: `Bearer ${token}` }), token)).toBe(true);
  });

  test('is found as a URL has it', () => {
    const leaks = sent({ password: PASSWORD });
    expect(() => leaks.log(`/x?p=${encodeURIComponent(PASSWORD)}`, 'the log')).toThrow();
  });

  test('is not the token of a repeated answer that says so, but what else that answer holds', () => {
    const leaks = createLeaks();
    const [token, other] = [newToken(), newToken()];
    for (const it of [token, other]) leaksIn(leaks, JSON.stringify({ token: it }));
    const replayed = new Headers({ 'idempotency-replayed': 'true' });
    const answer = (fields: object) => () => leaks.answer(replayed, JSON.stringify(fields), '/');
    expect(answer({ token })).not.toThrow();
    expect(answer({ token, name: other })).toThrow();
  });

  test.each(['token', 'access_token', 'reset_token', 'secret', 'flow'])(
    'is what was handed out as %s once, and its hash',
    (name) => {
      const leaks = createLeaks();
      const token = newToken();
      const body = JSON.stringify({ [name]: token });
      expect(leaksIn(leaks, body)).toBe(false);
      expect(leaksIn(leaks, body)).toBe(true);
      expect(() => leaks.log(`x${token}x`, 'the log')).toThrow();
      expect(() => leaks.log(hashToken(token), 'the log')).toThrow();
    },
  );

  test('is a recovery code, and the value of a cookie', () => {
    const leaks = createLeaks();
    const headers = new Headers({ 'set-cookie': 'hutch_session=m4o2QfZ0Zl5Xv1; HttpOnly' });
    leaks.answer(headers, '{"recovery_codes":["k3j9d-x7m2q","a2b4c-d6e8f"]}', '/');
    expect(leaksIn(leaks, 'code a2b4c-d6e8f')).toBe(true);
    expect(leaksIn(leaks, 'm4o2QfZ0Zl5Xv1')).toBe(true);
    const location = new Headers({ location: '/x?token=m4o2QfZ0Zl5Xv1' });
    expect(() => leaks.answer(location, '', '/')).toThrow();
  });

  test.each(['$argon2id$v=19$m=8', '$argon2i$v', '$2a$10$x', '$2b$04$x', '$2y$12$x'])(
    'is a hash, of whatever: %s',
    (hash) => {
      expect(leaksIn(createLeaks(), `{"password_hash":"${hash}"}`)).toBe(true);
    },
  );
});

describe('no leak', () => {
  test.each(['password', '12345678', 'short-7', 'xxxxxxxxxxx', 'ada@example.com'])(
    'is found of %s, which stands in other texts by chance',
    (password) => expect(leaksIn(sent({ password }), `{"detail":"${password}"}`)).toBe(false),
  );

  test('is found of a password that was sent as a name too', () => {
    const leaks = sent({ username: 'Lovelace-1815', password: 'lovelace-1815' });
    expect(leaksIn(leaks, '{"username":"lovelace-1815"}')).toBe(false);
  });

  test('is found of half a secret', () => {
    expect(leaksIn(sent({ password: PASSWORD }), PASSWORD.slice(0, -1))).toBe(false);
  });
});
