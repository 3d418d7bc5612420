import { Database } from 'bun:sqlite';
import {
  chmodSync,
  closeSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { ADMIN, COMMAND, hutch } from '../../process/hutch.ts';
import type { Seen as Inside } from '../../process/network/inside.ts';
import { hasNamespaces, openNamespace } from '../../process/network/namespace.ts';
import { serveUnread } from '../../process/unread.ts';
import { tempDir } from '../../support.ts';
import { createFaults } from '../shims/disk-shim.ts';
import { hasShim } from '../shims/shim.ts';
import { type Check, type Kit, same, skipped } from './kit.ts';

type Up = Awaited<ReturnType<Kit['up']>>;

const PAGE_BYTES = 4096;
const EIO = 5;
const MB = 1024 * 1024;
const MOST_TAKEN_MB = 64;

/** The low ones about the machine and the process: L3, L4, L6, L12, L15 to L17, L19. */
export const MACHINE: Check[] = [
  {
    finding: 'L3',
    sentence: 'The services of a cloud are no public hosts.',
    expected: 'refused without a connection, for each form',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('ada');
      const hosts = ['168.63.129.16', '[::ffff:168.63.129.16]', '[64:ff9b::a83f:8110]'];
      const codes: unknown[] = [];
      for (const host of hosts) {
        const calls = [{ url: `http://${host}/` }];
        const { results } = await it.jsonOf<{ results: { error: { code: string } | null }[] }>(
          'POST',
          '/api/v2/sources/fetch',
          { token, body: { calls } },
        );
        codes.push(results[0]?.error?.code);
      }
      return same(
        codes,
        hosts.map(() => 'address_refused'),
      );
    },
  },
  {
    finding: 'L3',
    sentence: 'An address that a NAT64 of the network leads inside is no public host.',
    expected: '502 for it, and no connection; 200 for one outside',
    triedBy: 'test/process/network/rebinding.test.ts',
    run: async () => {
      if (!(await hasNamespaces())) return skipped('it needs root and network namespaces');
      await using namespace = await openNamespace('campaign64');
      const script = resolve(import.meta.dir, '../../process/network/inside.ts');
      const said = await namespace.run([process.execPath, script, tempDir()]);
      const { statuses, dialled } = JSON.parse(said) as Inside;
      const inner = dialled.filter((it) => it.includes('7f00:1'));
      return same(
        [statuses['nat64-inner'], inner, statuses['nat64-outer']],
        [[502, 502], [], [200, 200]],
      );
    },
  },
  {
    finding: 'L4',
    sentence: 'A reader that pins the write-ahead log is told of.',
    expected: 'a warning and pinned_since',
    run: async (kit) => {
      const it = await kit.up({ ...ADMIN.env });
      const token = await it.server.signIn(ADMIN.username, ADMIN.password);
      using other = new Database(it.file('hutch.db'), { readonly: true });
      other.run('begin');
      other.query('select count(*) from items').all();
      await it.call('POST', '/api/v2/items', { token, body: { title: 'a' } });
      const isTold = () => it.server.lines.some((line) => 'bytes' in line && 'since' in line);
      for (let turn = 0; turn < 200 && !isTold(); turn++) await Bun.sleep(100);
      const stats = await (await it.call('GET', '/api/v2/system/stats', { token })).text();
      return same([isTold(), /"pinned_since":"2/.test(stats)], [true, true]);
    },
  },
  {
    finding: 'L6',
    sentence: 'A database that cannot be read is storage_failed, for writes too.',
    expected: '503 storage_failed twice',
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('ada');
      while (statSync(it.file('hutch.db-wal')).size > 0) await Bun.sleep(200);
      spoilPages(it.file('hutch.db'));
      const codes: unknown[] = [];
      for (const [method, init] of [
        ['GET', {}],
        ['POST', { token, body: { title: 'a' } }],
      ] as const) {
        const answer = await it.call(method, '/api/v2/items', init);
        codes.push(answer.status, ((await answer.json()) as { code: string }).code);
      }
      return same(codes, [503, 'storage_failed', 503, 'storage_failed']);
    },
  },
  {
    finding: 'L12',
    sentence: 'A standard output that nobody reads holds up neither requests nor a stop.',
    expected: 'all answered within 250 MB, and status 0 after one SIGTERM',
    triedBy: 'test/process/log.test.ts',
    run: async () => {
      using server = await serveUnread();
      const { answered, sent } = await server.flood();
      const status = readFileSync(`/proc/${server.child.pid}/status`, 'utf8');
      const peakMb = Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024;
      server.child.kill('SIGTERM');
      const end = await server.child.exited;
      const isOk = answered === sent && end === 0 && peakMb < 250;
      return { got: `${answered} of ${sent}, ${Math.round(peakMb)} MB, ${end}`, isOk };
    },
  },
  {
    finding: 'L12',
    sentence: 'Writes that fail fill no log.',
    expected: '503 for each of 60, and fewer lines of errors than writes',
    run: async (kit) => {
      if (!(await hasShim())) return skipped('it needs a C compiler');
      const dir = tempDir();
      const disk = createFaults(dir);
      const it = await kit.up({ HUTCH_RATE_LIMIT: 'off', ...disk.env }, { dir });
      const token = await it.register('ada');
      disk.set({ ops: ['write', 'sync'], error: EIO, skip: 0, count: -1 });
      const statuses = new Set<number>();
      for (let turn = 0; turn < 60; turn++) statuses.add(await createItem(it, token));
      disk.clear();
      const errors = it.server.lines.filter(({ level }) => level === 'error').length;
      const isOk = [...statuses].join() === '503' && errors > 0 && errors < 60;
      return { got: `${[...statuses].join()}, ${errors} lines`, isOk };
    },
  },
  {
    finding: 'L15',
    sentence: 'A server that everybody may reach without TLS, and an open directory, warn.',
    expected: 'two warnings, and a directory that only its owner may write to',
    run: async (kit) => {
      const dir = tempDir();
      chmodSync(dir, 0o777);
      const it = await kit.up({}, { args: ['--host', '0.0.0.0'], dir });
      const warnings = it.server.lines.filter(({ level }) => level === 'warn').length;
      return same([warnings, statSync(dir).mode & 0o022], [2, 0]);
    },
  },
  {
    finding: 'L15',
    sentence: 'A server on this machine serves no name of strangers, and follows no link.',
    expected: '421; a start that is refused, and a target whose mode stays',
    run: async (kit) => {
      const it = await kit.up();
      const get =
        'GET /api/v2/items HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n';
      const status = (await it.raw(get)).split(' ')[1];
      const [dir, target] = [tempDir(), join(tempDir(), 'target')];
      writeFileSync(target, 'of somebody else', { mode: 0o644 });
      symlinkSync(target, join(dir, 'hutch.db'));
      const { status: end, stderr } = await hutch(['serve', '--port', '0', '--data-dir', dir]);
      const isTold = stderr.includes('is a symbolic link');
      return same([status, end, isTold, statSync(target).mode & 0o777], ['421', 1, true, 0o644]);
    },
  },
  {
    finding: 'L16',
    sentence: 'A body that follows a refusal is not taken for ever.',
    expected: `less than ${MOST_TAKEN_MB} MB after 401 and after 413`,
    run: async (kit) => {
      const it = await kit.up();
      const token = await it.register('ada');
      const taken = [await endlessBody(it, ''), await endlessBody(it, token)];
      return { got: `${taken.join(' and ')} MB`, isOk: taken.every((mb) => mb < MOST_TAKEN_MB) };
    },
  },
  {
    finding: 'L17',
    sentence: 'A write whose end fails, its rollback too, stops no later write.',
    expected: '201 after each of 12 faults',
    run: async (kit) => {
      if (!(await hasShim())) return skipped('it needs a C compiler');
      const dir = tempDir();
      const disk = createFaults(dir);
      const it = await kit.up({ HUTCH_RATE_LIMIT: 'off', ...disk.env }, { dir });
      const token = await it.register('ada');
      const after: number[] = [];
      let hits = 0;
      for (let fault = 0; fault < 12; fault++) {
        const ops = ['write', 'sync', 'read', 'truncate', 'open'] as const;
        disk.set({ ops: [...ops], error: EIO, skip: fault, count: 1 + (fault % 3) });
        await Promise.all(Array.from({ length: 4 }, () => createItem(it, token)));
        hits += disk.hits();
        disk.clear();
        after.push(await untilCreated(it, token));
      }
      return { got: `${hits} failed, ${after.join()}`, isOk: hits > 0 && after.every(is201) };
    },
  },
  {
    finding: 'L19',
    sentence: 'The binary reads nothing of the directory that it runs in.',
    expected: 'no preloaded code, and the setting of .env not taken',
    run: async () => {
      const cwd = tempDir();
      writeFileSync(join(cwd, 'preload.ts'), 'console.log("preloaded")');
      writeFileSync(join(cwd, 'bunfig.toml'), 'preload = ["./preload.ts"]\n');
      writeFileSync(join(cwd, '.env'), 'HUTCH_APP_NAME=FromFile\n');
      const { stdout, status } = await hutch(['settings'], { cwd });
      return same([status, /preloaded|FromFile/.test(stdout)], [0, false]);
    },
  },
  {
    finding: 'L19',
    sentence: 'What the environment can run is documented, as the executable is.',
    expected: 'code of BUN_OPTIONS runs, and docs/security.md names each way and the ELF type',
    run: async () => {
      const preload = join(tempDir(), 'preload.ts');
      writeFileSync(preload, 'console.log("preloaded")');
      const env = { BUN_OPTIONS: `--preload=${preload}` };
      const { stdout } = await hutch(['version'], { env });
      const text = await Bun.file(resolve(import.meta.dir, '../../../docs/security.md')).text();
      const named = ['BUN_OPTIONS', 'BUN_BE_BUN', 'BUN_INSPECT_PRELOAD', 'no PIE', 'no RELRO'];
      const unnamed = named.filter((it) => !text.includes(it));
      const type = COMMAND.length === 1 ? await elfType(COMMAND[0] ?? '') : 2;
      return same([stdout.includes('preloaded'), unnamed, type], [true, [], 2]);
    },
  },
];

const is201 = (status: number) => status === 201;

function createItem(it: Up, token: string): Promise<number> {
  return it.statusOf('POST', '/api/v2/items', { token, body: { title: 'a' } });
}

/** Creates items until one is created, for some seconds; returns the last status. */
async function untilCreated(it: Up, token: string): Promise<number> {
  let status = await createItem(it, token);
  for (let again = 0; again < 50 && status !== 201; again++) {
    await Bun.sleep(200);
    status = await createItem(it, token);
  }
  return status;
}

/** Overwrites every page but the first, and lets the server notice that the file has changed. */
function spoilPages(path: string): void {
  const pages = statSync(path).size / PAGE_BYTES;
  const file = openSync(path, 'r+');
  for (let page = 1; page < pages; page++) {
    writeSync(file, Buffer.alloc(PAGE_BYTES, 0xff), 0, PAGE_BYTES, page * PAGE_BYTES);
  }
  closeSync(file);
  using other = new Database(path);
  other.run('pragma user_version = 1');
}

/** Sends a body without end; returns how many MB were taken until the server closes, 2 s at most. */
async function endlessBody(it: Up, token: string): Promise<number> {
  const { hostname, port } = new URL(it.server.url);
  const chunk = Buffer.alloc(MB, 'x');
  const head = `POST /api/v2/items HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
  const own = token ? `Authorization: Bearer ${token}\r\n` : '';
  const text = `${head}${own}Content-Length: 100000000000\r\n\r\n`;
  const socket = connect(Number(port), hostname, () => socket.write(text));
  socket.on('error', () => {});
  const until = performance.now() + 2_000;
  let taken = 0;
  while (performance.now() < until && !socket.destroyed) {
    const isTaken = await Promise.race([
      new Promise<boolean>((done) => socket.write(chunk, (error) => done(!error))),
      Bun.sleep(300).then(() => false),
    ]);
    if (!isTaken) break;
    taken++;
  }
  socket.destroy();
  return taken;
}

/** The e_type of an ELF file: 2 is at a fixed address, 3 is position-independent. */
async function elfType(path: string): Promise<number> {
  const head = await Bun.file(path).slice(0, 18).arrayBuffer();
  return new DataView(head).getUint16(16, true);
}
