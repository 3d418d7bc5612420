/**
 * Sends requests at a fixed rate, independent of the server's responses, and prints the results as JSON.
 * A process of its own, so that it takes no time from the server: `bun open-loop.ts '<options>'`.
 */
import type { Socket } from 'bun';

export interface OpenLoopOptions {
  hostname: string;
  port: number;
  /** Whole requests, taken in turn. Each response must have a Content-Length. */
  requests: string[];
  connections: number;
  /** Requests a second that are due, evenly spread; 0 sends as fast as responses come. */
  rate: number;
  seconds: number;
  /** A request that is not answered after this time is given up, and its connection with it. */
  timeoutMs: number;
}

export interface OpenLoopReport {
  seconds: number;
  sent: number;
  /** Responses by status; `lost` for connections that ended early, `late` for those given up. */
  statuses: Record<string, number>;
  /** Milliseconds from when a request was due to its successful response. */
  success_ms: { p50: number; p99: number; max: number };
  /** The same for responses with 503. */
  refused_ms: { p50: number; p99: number; max: number };
}

interface Connection {
  socket: Socket<Connection> | undefined;
  /** When the request under way was due; 0 when there is none. */
  dueAt: number;
  sentAt: number;
  buffered: string;
}

/** Whole seconds at the start that are not counted: connections open and code is compiled in them. */
const WARM_UP_SECONDS = 1;

async function runOpenLoop(options: OpenLoopOptions): Promise<OpenLoopReport> {
  const { connections: count, rate, seconds, timeoutMs } = options;
  const requests = options.requests.map((text) => Buffer.from(text));
  const tally = createTally();
  const idle: Connection[] = [];
  const all: Connection[] = [];
  const due: number[] = [];
  let dueHead = 0;
  let next = 0;
  const start = performance.now();
  const countFrom = start + WARM_UP_SECONDS * 1000;
  const end = countFrom + seconds * 1000;

  const send = (connection: Connection, dueAt: number) => {
    connection.dueAt = dueAt;
    connection.sentAt = performance.now();
    connection.buffered = '';
    connection.socket?.write(requests[next++ % requests.length] as Buffer);
  };
  const takeNext = (connection: Connection) => {
    if (rate === 0) return send(connection, performance.now());
    if (dueHead < due.length) return send(connection, due[dueHead++] as number);
    idle.push(connection);
  };
  const record = (connection: Connection, outcome: string) => {
    const { dueAt } = connection;
    connection.dueAt = 0;
    if (dueAt >= countFrom && dueAt < end) tally.add(outcome, performance.now() - dueAt);
  };
  const open = async (connection: Connection) => {
    try {
      connection.socket = await Bun.connect({
        hostname: options.hostname,
        port: options.port,
        data: connection,
        socket: {
          data: (_, chunk) => {
            const status = readStatus(connection, chunk);
            if (status === undefined || connection.dueAt === 0) return;
            record(connection, status);
            takeNext(connection);
          },
          close: () => {
            connection.socket = undefined;
            if (connection.dueAt !== 0) record(connection, 'lost');
            if (performance.now() < end) void open(connection);
          },
          error: () => {},
        },
      });
      takeNext(connection);
    } catch {
      await Bun.sleep(50);
      if (performance.now() < end) await open(connection);
    }
  };

  for (let index = 0; index < count; index++) {
    const connection: Connection = { socket: undefined, dueAt: 0, sentAt: 0, buffered: '' };
    all.push(connection);
    void open(connection);
    if (index % 50 === 49) await Bun.sleep(1);
  }
  let scheduled = performance.now();
  let sweptAt = scheduled;
  while (performance.now() < end) {
    const now = performance.now();
    for (; rate > 0 && scheduled < now; scheduled += 1000 / rate) {
      const connection = idle.pop();
      if (connection?.socket) send(connection, scheduled);
      else due.push(scheduled);
    }
    if (now - sweptAt > 100) {
      sweptAt = now;
      for (const it of all) {
        if (it.dueAt === 0 || now - it.sentAt < timeoutMs) continue;
        record(it, 'late');
        it.socket?.terminate();
      }
      for (; dueHead < due.length && now - (due[dueHead] as number) > timeoutMs; dueHead++) {
        if ((due[dueHead] as number) >= countFrom) tally.add('late', timeoutMs);
      }
    }
    await Bun.sleep(1);
  }
  await Bun.sleep(300);
  return tally.report(seconds);
}

/** The status of a response once all of it is there. */
function readStatus(connection: Connection, chunk: Buffer): string | undefined {
  const text = connection.buffered + chunk.toString('latin1');
  connection.buffered = text;
  const head = text.indexOf('\r\n\r\n');
  if (head === -1) return undefined;
  const lengthAt = text.search(/\r\ncontent-length: /i);
  const length = lengthAt === -1 ? 0 : Number.parseInt(text.slice(lengthAt + 18), 10);
  return text.length >= head + 4 + length ? text.slice(9, 12) : undefined;
}

function createTally() {
  const statuses: Record<string, number> = {};
  const successes: number[] = [];
  const refusals: number[] = [];
  let sent = 0;
  return {
    add: (outcome: string, ms: number) => {
      sent++;
      statuses[outcome] = (statuses[outcome] ?? 0) + 1;
      if (outcome.startsWith('2')) successes.push(ms);
      if (outcome === '503') refusals.push(ms);
    },
    report: (seconds: number): OpenLoopReport => ({
      seconds,
      sent,
      statuses,
      success_ms: quantiles(successes),
      refused_ms: quantiles(refusals),
    }),
  };
}

function quantiles(values: number[]) {
  const sorted = Float64Array.from(values).sort();
  const at = (part: number) => Math.round(sorted[Math.floor(part * (sorted.length - 1))] ?? 0);
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

if (import.meta.main) {
  const options = JSON.parse(Bun.argv[2] ?? '{}') as OpenLoopOptions;
  console.log(JSON.stringify(await runOpenLoop(options)));
  process.exit(0);
}
