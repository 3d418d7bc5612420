import { Database } from 'bun:sqlite';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { COMMAND, hutch } from '../../process/hutch.ts';
import { tempDir } from '../../support.ts';
import { type Check, PASSWORD, refusedStart, same, skipped } from '../hostile/kit.ts';

interface Schemas {
  components: { schemas: Record<string, unknown> };
}

/** Findings from operators about files, commands and texts: F8, F14, F28, F29, F31, F32, F37, F38. */
export const FIELD_OPERATORS: Check[] = [
  {
    finding: 'F8',
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
    finding: 'F14',
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
    finding: 'F14',
    sentence: 'The sqlite3 of the system checks, copies and restores the database.',
    expected: 'ok, and the item in the copy and in the file restored from a dump',
    run: async (kit) => {
      if (!Bun.which('sqlite3')) return skipped('it needs sqlite3');
      const it = await kit.up();
      const token = await it.register('sql');
      await it.call('POST', '/api/v2/items', { token, body: { title: 'x' } });
      await it.server.stop();
      const [file, copy, restored] = ['hutch.db', 'copy.db', 'new.db'].map(it.file);
      const said = [
        await sqlite3(file, 'pragma integrity_check'),
        await sqlite3(file, `vacuum into '${copy}'`),
        await sqlite3(copy, 'select title from items'),
        await sqlite3(restored, await sqlite3(file, '.dump')),
        await sqlite3(restored, 'select title from items'),
        await sqlite3(restored, 'pragma integrity_check'),
      ];
      return same(said, ['ok', '', 'x', '', 'x', 'ok']);
    },
  },
  {
    finding: 'F28',
    sentence: 'A mistake of the operator is one sentence with the path.',
    expected: 'no stack trace, a status of failure, and the path of what is wrong',
    run: async (kit) => {
      const it = await kit.up();
      await it.register('cli');
      const table = it.file('table.csv');
      writeFileSync(table, 'title;description\nA;B\n');
      const imported = await hutch([
        ...['items', 'import', table, '--owner', 'cli'],
        ...['--data-dir', it.dir],
      ]);
      const commands = [['serve', '--port', '0'], ['migrate'], ['items', 'export', '-']];
      const dirs = unusableDirectories();
      const refused = dirs.flatMap((dir) =>
        commands.map(async (args) => ({ dir, ...(await hutch([...args, '--data-dir', dir])) })),
      );
      const said = [{ dir: ';', ...imported }, ...(await Promise.all(refused))];
      const wrong = said.filter(
        ({ dir, stderr, status }) =>
          status === 0 ||
          /\n\s+at |SQLiteError|AppError|\[Object/.test(stderr) ||
          !stderr.includes(dir),
      );
      return same([said.length, wrong], [1 + dirs.length * commands.length, []]);
    },
  },
  {
    finding: 'F28',
    sentence: 'A directory that belongs to another user is named, with the users.',
    expected: 'status 1 and a sentence',
    run: async () => {
      if (process.getuid?.() !== 0 || !Bun.which('setpriv')) return skipped('it needs root');
      const dir = tempDir();
      chmodSync(dir, 0o755);
      // A folder that other users can read; the checkout may not be readable.
      const binary = join(dir, 'hutch');
      copyFileSync(COMMAND[0] ?? '', binary);
      chmodSync(binary, 0o755);
      const drop = ['setpriv', '--reuid=65534', '--clear-groups', '--bounding-set=-all'];
      const child = Bun.spawn([...drop, binary, 'migrate', '--data-dir', dir], {
        cwd: '/',
        env: {},
        stderr: 'pipe',
      });
      const said = await child.stderr.text();
      const isTold = said.includes(`${dir} cannot be written`) && /user 0\b.*65534/.test(said);
      return same([await child.exited, isTold, /\n\s+at /.test(said)], [1, true, false]);
    },
  },
  {
    finding: 'F29',
    sentence: 'An address in place of a domain has no passkeys.',
    expected: '409 for each family',
    run: async (kit) => {
      const statuses = [];
      for (const host of ['192.0.2.10', '[2001:db8::1]']) {
        const it = await kit.up({ HUTCH_PUBLIC_URL: `http://${host}` });
        const token = await it.register('passk', { host });
        const init = { token, body: { password: PASSWORD }, headers: { host } };
        statuses.push(await it.statusOf('POST', '/api/v2/auth/passkeys/options', init));
      }
      return same(statuses, [409, 409]);
    },
  },
  {
    finding: 'F32',
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
    finding: 'F37',
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
    finding: 'F31',
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
      // A stream without a reset is silent.
      const patience = Bun.sleep(10_000).then(() => undefined);
      let said = '';
      for (let read = 0; read < 10 && !said.includes('event: reset'); read++) {
        const next = await Promise.race([reader.read(), patience]);
        said += Buffer.from(next?.value ?? []).toString();
      }
      await reader.cancel();
      return same(said.includes('event: reset'), true);
    },
  },
  {
    finding: 'F38',
    sentence: 'A wildcard as an origin is refused at start.',
    expected: 'status 2',
    run: (kit) => refusedStart(kit, { HUTCH_CORS_ORIGINS: 'https://*.example.com' }),
  },
  {
    finding: 'F38',
    sentence: 'The command that the log names for the first admin works in a shell as it stands.',
    expected: 'the data directory as one word',
    run: async (kit) => {
      const dir = join(tempDir(), "a dir's $HOME");
      const it = await kit.up({}, { dir });
      const named = () => it.server.lines.find((line) => 'command' in line)?.['command'];
      for (let look = 0; look < 100 && !named(); look++) await Bun.sleep(50);
      const shell = Bun.spawn(['sh', '-c', `set -- ${named()}; printf '%s\\n' "$@"`]);
      return same((await shell.stdout.text()).split('\n').includes(dir), true);
    },
  },
];

function hasFiles(path: string): boolean {
  return existsSync(path) && readdirSync(path).length > 0;
}

async function sqlite3(path = '', commands = ''): Promise<string> {
  const child = Bun.spawn(['sqlite3', '-bail', path], {
    stdin: new Blob([commands, '\n']),
    stdout: 'pipe',
    stderr: 'pipe',
  });
  return ((await child.stdout.text()) + (await child.stderr.text())).trim();
}

/** Data directories that no command can use: none is a database, or something is in its place. */
function unusableDirectories(): string[] {
  const [noDatabase, folder, lock] = [tempDir(), tempDir(), tempDir()];
  writeFileSync(join(noDatabase, 'hutch.db'), 'surely not a database, but long enough to be read');
  mkdirSync(join(folder, 'hutch.db'));
  mkdirSync(join(lock, 'hutch.lock'));
  const file = join(tempDir(), 'file');
  writeFileSync(file, '');
  return [noDatabase, folder, lock, file, '/proc/1/nothing'];
}
