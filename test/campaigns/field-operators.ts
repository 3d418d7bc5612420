import { Database } from 'bun:sqlite';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { hutch } from '../process/hutch.ts';
import { tempDir } from '../support.ts';
import { type Check, type Kit, type Seen, same } from './hostile-kit.ts';

const PASSWORD = 'straw-and-carrots-1';
const REFUSAL = '550 5.1.1 no such user';

interface Schemas {
  components: { schemas: Record<string, unknown> };
}

/** What those who run a server meet: its files, commands, mails and providers. */
export const FIELD_OPERATORS: Check[] = [
  {
    sentence: 'No property of the document is null alone.',
    expected: 'none',
    run: async () => {
      const { stdout } = await hutch(['openapi']);
      const { components } = JSON.parse(stdout) as Schemas;
      const text = JSON.stringify(components.schemas);
      const bare = text.match(/"type":"null"(?!\})|[^[{,]\{"type":"null"\}/g) ?? [];
      return same([components.schemas !== undefined, bare], [true, []]);
    },
  },
  {
    sentence: 'A filter can be sent as one parameter of text.',
    expected: 'one item',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('filter');
      for (const title of ['alpha', 'beta'])
        await it.call('POST', '/api/v2/items', { token, body: { title } });
      const list = await it.call('GET', '/api/v2/items?where=title+eq+alpha');
      return same(((await list.json()) as { data: unknown[] }).data.length, 1);
    },
  },
  {
    sentence: 'The schema has no function that SQLite 3.34 does not know.',
    expected: 'no octet_length, unixepoch, json arrows or strict tables',
    run: async (kit) => {
      const it = await kit.up();
      using database = new Database(it.file('hutch.db'), { readonly: true });
      const rows = database.query<{ sql: string }, []>(
        'select sql from sqlite_schema where sql is not null',
      );
      const sql = rows.all().map((row) => row.sql);
      const newer = /octet_length|unixepoch|->|\)\s*strict\b|,\s*strict\b|json_error/i;
      return same([sql.length > 10, sql.filter((each) => newer.test(each))], [true, []]);
    },
  },
  {
    sentence: 'The id and secret of a client are encoded for Basic, or sent in the body.',
    expected: 'the secret in the body of a provider that reads no Basic',
    run: async (kit) => {
      const bodies: string[] = [];
      using provider = tokenProvider(bodies);
      const it = await kit.up({
        HUTCH_OIDC_ISSUER: `http://127.0.0.1:${provider.port}`,
        HUTCH_OIDC_CLIENT_ID: 'urn:app',
        HUTCH_OIDC_CLIENT_SECRET: 'a+b%2Fc',
        HUTCH_PUBLIC_URL: 'http://127.0.0.1:4321',
      });
      const begun = await it.call('POST', '/api/v2/auth/identities/login/options', {
        body: { provider: 'oidc' },
        headers: { host: '127.0.0.1:4321' },
      });
      const text = await begun.text();
      const flow = /"flow":"([^"]*)/.exec(text)?.[1];
      const state = /state=([^&"]*)/.exec(text)?.[1];
      await it.call('POST', '/api/v2/auth/identities/login', {
        body: { flow, code: 'x', state },
        headers: { host: '127.0.0.1:4321' },
      });
      const sent = new URLSearchParams(bodies[0] ?? '');
      return same([sent.get('client_id'), sent.get('client_secret')], ['urn:app', 'a+b%2Fc']);
    },
  },
  {
    sentence: 'A sender that is no address is refused at start.',
    expected: 'status 2',
    run: (kit) =>
      refusedStart(kit, {
        HUTCH_SMTP_URL: 'smtp://127.0.0.1:4391',
        HUTCH_MAIL_FROM: 'nonsense',
      }),
  },
  {
    sentence: 'A mail that a server refuses for good is not tried again.',
    expected: 'one attempt, and a log line that does not name another',
    run: async (kit) => {
      const commands: string[] = [];
      await using smtp = await refusingSmtp(commands);
      const it = await kit.up({
        HUTCH_SMTP_URL: `smtp://127.0.0.1:${smtp.port}`,
        HUTCH_MAIL_FROM: 'hutch@example.com',
      });
      await it.register('refused');
      const isTold = () => it.server.lines.some((line) => /mail/i.test(String(line['message'])));
      for (let turn = 0; turn < 50 && !isTold(); turn++) await Bun.sleep(100);
      using database = new Database(it.file('hutch.db'), { readonly: true });
      const { waiting } = database
        .query<{ waiting: number }, []>('select count(*) as waiting from mails where attempts < 10')
        .get() ?? { waiting: -1 };
      const asked = commands.filter((each) => /^RCPT/i.test(each)).length;
      return same([asked, waiting], [1, 0]);
    },
  },
  {
    sentence: 'A mistake of the operator is one sentence with the path.',
    expected: 'no stack trace, and the path of what is wrong',
    run: async (kit) => {
      const it = await kit.up();
      await it.register('cli');
      const table = it.file('table.csv');
      writeFileSync(table, 'title;description\nA;B\n');
      const args = ['items', 'import', table, '--owner', 'cli', '--data-dir', it.dir];
      const refused = await Promise.all(badDirectories().map(serveIn));
      const said = [await hutch(args), ...refused];
      const isPlain = said.map(
        ({ stderr, status }) => status !== 0 && !/\n\s+at |SQLiteError|\[Object/.test(stderr),
      );
      const named = refused.map(({ stderr, dir }) => stderr.includes(dir));
      return same([...isPlain, ...named], [true, true, true, true, true]);
    },
  },
  {
    sentence: 'An address in place of a domain has no passkeys.',
    expected: '409',
    run: async (kit) => {
      const it = await kit.up({ HUTCH_PUBLIC_URL: 'http://192.0.2.10' });
      const headers = { host: '192.0.2.10' };
      const token = await it.register('passk', headers);
      const body = { password: PASSWORD };
      return same(
        await it.statusOf('POST', '/api/v2/auth/passkeys/options', { token, body, headers }),
        409,
      );
    },
  },
  {
    sentence: 'Lines of accounts that are no UTF-8 are refused.',
    expected: 'line 1 is named',
    run: async (kit) => {
      const it = await kit.up();
      const hash = `$2b$04$${'0'.repeat(53)}`;
      const line = `{"email":"l1@example.com","full_name":"Jos\u00e9","password_hash":"${hash}"}\n`;
      writeFileSync(it.file('l.jsonl'), Buffer.from(line, 'latin1'));
      const args = ['users', 'import', it.file('l.jsonl'), '--data-dir', it.dir];
      const { stdout, stderr } = await hutch(args);
      return same(/line 1\b.*UTF-8/i.test(stdout + stderr), true);
    },
  },
  {
    sentence: 'Links in mails have the port that the server took.',
    expected: 'the port of its URL',
    run: async (kit) => {
      const it = await kit.up();
      await it.register('port');
      const outbox = it.file('outbox');
      for (let look = 0; look < 50 && !hasFiles(outbox); look++) await Bun.sleep(100);
      const texts = readdirSync(outbox).map((name) => readFileSync(join(outbox, name), 'utf8'));
      // Quoted-printable: a line may be broken anywhere.
      const mail = texts.join('').replace(/=\r?\n/g, '');
      return same(mail.includes(`${it.server.url}/verify`), true);
    },
  },
  {
    sentence: 'Who listens is told that a database was restored.',
    expected: 'a reset',
    run: async (kit) => {
      const first = await kit.up();
      const token = await first.register('ears');
      await first.call('POST', '/api/v2/items', { token, body: { title: 'kept' } });
      await first.server.stop();
      const backup = await Bun.file(first.file('hutch.db')).bytes();
      const second = await kit.up({}, { dir: first.dir });
      for (const title of ['lost 1', 'lost 2']) {
        await second.call('POST', '/api/v2/items', { token, body: { title } });
      }
      await second.server.stop();
      await Bun.write(first.file('hutch.db'), backup);
      const third = await kit.up({}, { dir: first.dir });
      for (const title of ['new 1', 'new 2', 'new 3']) {
        await third.call('POST', '/api/v2/items', { token, body: { title } });
      }
      const headers = { 'last-event-id': '3' };
      const answer = await third.call('GET', '/api/v2/items/events', { token, headers });
      const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
      let said = '';
      for (let read = 0; read < 10 && !said.includes('event: reset'); read++) {
        said += Buffer.from((await reader.read()).value ?? []).toString();
      }
      await reader.cancel();
      return same(said.includes('event: reset'), true);
    },
  },
  {
    sentence: 'A wildcard as an origin is refused at start.',
    expected: 'status 2',
    run: (kit) => refusedStart(kit, { HUTCH_CORS_ORIGINS: 'https://*.example.com' }),
  },
];

function hasFiles(path: string): boolean {
  return existsSync(path) && readdirSync(path).length > 0;
}

async function refusedStart(kit: Kit, env: Record<string, string>): Promise<Seen> {
  const got = await kit.up(env).then(
    () => 'it serves',
    (error: unknown) => String(error),
  );
  return { got, isOk: got.includes('ended with 2') };
}

function badDirectories(): string[] {
  const [noDatabase, folder] = [tempDir(), tempDir()];
  writeFileSync(join(noDatabase, 'hutch.db'), 'surely not a database, but long enough to be read');
  mkdirSync(join(folder, 'hutch.db'));
  return [noDatabase, folder];
}

async function serveIn(dir: string) {
  return { dir, ...(await hutch(['serve', '--port', '0', '--data-dir', dir])) };
}

/** A provider that takes secrets in bodies alone, and refuses each. */
function tokenProvider(bodies: string[]) {
  return Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) => {
      const issuer = new URL(request.url).origin;
      if (request.method === 'POST') {
        bodies.push(await request.text());
        return Response.json({ error: 'invalid_client' }, { status: 401 });
      }
      return Response.json({
        issuer,
        authorization_endpoint: `${issuer}/a`,
        token_endpoint: `${issuer}/t`,
        jwks_uri: `${issuer}/j`,
        token_endpoint_auth_methods_supported: ['client_secret_post'],
      });
    },
  });
}

/** A mail server that knows no recipient. */
async function refusingSmtp(commands: string[]) {
  const server = createServer((socket) => {
    socket.write('220 x\r\n');
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const command of chunk.toString().split('\r\n').filter(Boolean)) {
        commands.push(command);
        const verb = command.slice(0, 4).toUpperCase();
        const answers: Record<string, string> = { RCPT: REFUSAL, QUIT: '221 x' };
        socket.write(`${answers[verb] ?? '250 ok'}\r\n`);
      }
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  const port = address && typeof address === 'object' ? address.port : 0;
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}
