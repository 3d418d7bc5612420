import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '../../../src/core/config/config.ts';
import { tempDir } from '../../support.ts';

function problems(env: Record<string, string>, flags: Record<string, string> = {}): string[] {
  try {
    loadConfig(flags, env);
    return [];
  } catch (error) {
    return error instanceof ConfigError ? error.problems : [String(error)];
  }
}

describe('loadConfig', () => {
  // proves: 12.2.1
  test('has a default for every setting', () => {
    expect(loadConfig({}, {})).toMatchObject({
      host: '127.0.0.1',
      port: 3000,
      dataDir: './data',
      registration: 'open',
      popularTtlSeconds: 60,
    });
  });

  test('a flag takes precedence over the environment', () => {
    expect(loadConfig({ port: '1' }, { HUTCH_PORT: '2' }).port).toBe(1);
    expect(loadConfig({}, { HUTCH_PORT: '2' }).port).toBe(2);
  });

  test('reports all invalid settings together', () => {
    expect(
      problems(
        { HUTCH_LOG_LEVEL: 'loud', HUTCH_REGISTRATION: 'maybe', HUTCH_PROT: '1' },
        { port: '70000' },
      ),
    ).toEqual([
      '--port must be a whole number from 0 to 65535.',
      'HUTCH_LOG_LEVEL must be one of debug, info, warn, error.',
      'HUTCH_REGISTRATION must be one of open, closed.',
      'HUTCH_PROT is not a setting.',
    ]);
  });

  test.each([
    'hutch@localhost',
    'Hutch <hutch@example.com>',
    '"Hutch, Inc. \\"H\\"" <hutch@example.com>',
    'Kaninchenstall Müller <post@müller.example>',
    '<hutch@example.com>',
  ])('%p is accepted as the sender of mails', (sender) => {
    expect(problems({ HUTCH_MAIL_FROM: sender })).toEqual([]);
  });

  test.each([
    'nonsense',
    'Hutch',
    'a@example.com, b@example.com',
    'A <a@example.com>, B <b@example.com>',
    'Group: a@example.com;',
    'Hutch <>',
    'Hutch <hutch>',
    'Hutch, Inc. <hutch@example.com>',
    'Hutch <hutch@example.com> x',
    'Hutch hutch@example.com',
    '"Hutch <hutch@example.com>',
    'hutch@exa mple.com',
    'Hutch\r\nBcc: <eve@example.com>',
  ])('%p is rejected as the sender of mails', (sender) => {
    expect(problems({ HUTCH_MAIL_FROM: sender })).toEqual([
      'HUTCH_MAIL_FROM must be one address, such as hutch@example.com or Hutch <hutch@example.com>.',
    ]);
  });

  test('the name of the app is one visible line', () => {
    expect(loadConfig({}, { HUTCH_APP_NAME: ' Warren & Co ' }).appName).toBe('Warren & Co');
    for (const name of [' ', 'a\nb', 'a\u0000', 'a\u202eb', 'x'.repeat(61)]) {
      expect(problems({ HUTCH_APP_NAME: name })).toHaveLength(1);
    }
  });

  test.each(['-1', '1.5', '0x10', ' 3', '1e3', 'x'])('%p is rejected as a port', (port) => {
    expect(problems({ HUTCH_PORT: port })).toHaveLength(1);
  });

  test.each(['HUTCH_CORS_ORIGINS', 'HUTCH_PUBLIC_URL', 'HUTCH_OIDC_ISSUER'])(
    '%s names a host: a wildcard is refused',
    (name) => {
      const oidc = { HUTCH_OIDC_CLIENT_ID: 'x', HUTCH_OIDC_CLIENT_SECRET: 'x' };
      const env = (url: string) => ({ ...(name.includes('OIDC') && oidc), [name]: url });
      expect(problems(env('https://app.example.com'))).toEqual([]);
      for (const host of ['*.example.com', 'app.*.com', '*']) {
        const [problem] = problems(env(`https://${host}`));
        expect(problem).toMatch(new RegExp(`^${name} .*wildcard`));
      }
    },
  );

  test('an origin must have the scheme http or https', () => {
    expect(problems({ HUTCH_CORS_ORIGINS: 'ftp://app.example.com' })).toHaveLength(1);
  });

  test('an empty variable counts as unset', () => {
    expect(loadConfig({}, { HUTCH_PORT: '' }).port).toBe(3000);
  });

  // proves: data.secret-of-the-operator, 13.3.1
  test('reads a secret from the file that _FILE names', async () => {
    const file = join(tempDir(), 'secret');
    await Bun.write(file, 'password123\n');
    const admin = { HUTCH_ADMIN_EMAIL: 'root@example.com', HUTCH_ADMIN_USERNAME: 'root' };
    const config = loadConfig({}, { ...admin, HUTCH_ADMIN_PASSWORD_FILE: file });
    expect(config.adminPassword).toBe('password123');
    expect(problems({ ...admin, HUTCH_ADMIN_PASSWORD_FILE: '/nope' })[0]).toContain(
      'cannot be read',
    );
    expect(
      problems({ ...admin, HUTCH_ADMIN_PASSWORD: 'x', HUTCH_ADMIN_PASSWORD_FILE: file }),
    ).toContain('HUTCH_ADMIN_PASSWORD and HUTCH_ADMIN_PASSWORD_FILE are both set.');
  });

  // proves: input.settings-of-the-first-admin
  test('the first admin needs all of its settings, and valid ones', () => {
    expect(problems({ HUTCH_ADMIN_EMAIL: 'root@example.com' })).toHaveLength(1);
    expect(
      problems({
        HUTCH_ADMIN_EMAIL: 'root',
        HUTCH_ADMIN_USERNAME: 'r',
        HUTCH_ADMIN_PASSWORD: 'short',
      }),
    ).toHaveLength(3);
  });

  test('reports incomplete settings of a sign-in provider', () => {
    const env = { HUTCH_GOOGLE_CLIENT_ID: 'x', HUTCH_OIDC_ISSUER: 'https://id.example.com' };
    expect(problems({ ...env, HUTCH_APPLE_TEAM_ID: 'x' })).toEqual([
      'HUTCH_GOOGLE_CLIENT_ID and HUTCH_GOOGLE_CLIENT_SECRET must be set together.',
      'HUTCH_APPLE_CLIENT_ID, HUTCH_APPLE_TEAM_ID, HUTCH_APPLE_KEY_ID and HUTCH_APPLE_PRIVATE_KEY must be set together.',
      'HUTCH_OIDC_ISSUER, HUTCH_OIDC_CLIENT_ID and HUTCH_OIDC_CLIENT_SECRET must be set together.',
    ]);
    expect(problems({ ...env, HUTCH_GOOGLE_CLIENT_SECRET: 'y' })).toHaveLength(1);
    // A setting with a default does not make a provider incomplete.
    expect(
      problems({ HUTCH_GITLAB_URL: 'https://git.example.com', HUTCH_OIDC_TITLE: 'X' }),
    ).toEqual([]);
  });

  test.each([
    ['http://id.example.com', 1],
    ['https://me@id.example.com', 1],
    ['https://id.example.com/?x', 1],
    ['id.example.com', 1],
    ['http://localhost:4000/realms/x', 0],
    ['https://id.example.com/realms/x/', 0],
  ])('of a provider, %s has %d problems', (HUTCH_GITLAB_URL, count) => {
    expect(problems({ HUTCH_GITLAB_URL })).toHaveLength(count);
  });

  test('does not reveal an invalid key', () => {
    const [problem] = problems({ HUTCH_APPLE_PRIVATE_KEY: 'not-the-key' });
    expect(problem).toBe('HUTCH_APPLE_PRIVATE_KEY must be a private key for ES256 in PEM.');
  });

  test('reads a list of hosts', () => {
    const text = 'localhost, 127.0.0.1:4000 [::1]:80';
    expect(loadConfig({}, { HUTCH_EXTERNAL_ALLOW_HOSTS: text }).externalAllowHosts).toEqual([
      'localhost',
      '127.0.0.1:4000',
      '[::1]:80',
    ]);
    expect(problems({ HUTCH_EXTERNAL_ALLOW_HOSTS: 'http://x' })).toHaveLength(1);
  });

  describe('with variables of a Kubernetes Service or a Docker link', () => {
    const kubernetes = (name: string, port: number) => ({
      [`${name}_SERVICE_HOST`]: '10.0.0.1',
      [`${name}_SERVICE_PORT`]: String(port),
      [`${name}_SERVICE_PORT_HTTP`]: String(port),
      [`${name}_PORT`]: `tcp://10.0.0.1:${port}`,
      [`${name}_PORT_${port}_TCP`]: `tcp://10.0.0.1:${port}`,
      [`${name}_PORT_${port}_TCP_PROTO`]: 'tcp',
      [`${name}_PORT_${port}_TCP_PORT`]: String(port),
      [`${name}_PORT_${port}_TCP_ADDR`]: '10.0.0.1',
    });

    test.each(['HUTCH', 'HUTCH_API', 'HUTCH_2'])(
      'for a Service named %s, uses the defaults',
      (name) => {
        expect(loadConfig({}, kubernetes(name, 8080)).port).toBe(3000);
      },
    );

    test('for an IPv6 Service, uses the defaults, and a flag takes precedence', () => {
      const env = {
        ...{ HUTCH_SERVICE_HOST: 'fd00::1', HUTCH_PORT: 'udp://[fd00::1]:53' },
        HUTCH_PORT_53_UDP: 'udp://[fd00::1]:53',
      };
      expect(loadConfig({ port: '4000' }, env).port).toBe(4000);
    });

    test('for a Docker link, uses the defaults', () => {
      const env = {
        ...{ HUTCH_DB_PORT: 'tcp://172.17.0.5:5432', HUTCH_DB_NAME: '/web/hutch-db' },
        HUTCH_DB_ENV_HUTCH_PORT: 'x',
      };
      expect(problems(env)).toEqual([]);
    });

    test('still reports misspelt settings', () => {
      const wrong = {
        ...{ HUTCH_PORT: '3000a', HUTCH_SMTP_PORT: '587', HUTCH_SERVICE_HOSTS: '10.0.0.1' },
        ...{ HUTCH_SERVICE_HOST: 'api.example.com', HUTCH_NAME: 'x', HUTCH_ENV_X: '1' },
      };
      expect(problems(wrong)).toHaveLength(Object.keys(wrong).length);
    });
  });
});
