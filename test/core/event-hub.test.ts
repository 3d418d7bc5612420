import { describe, expect, test } from 'bun:test';
import { createEventHub, createPlaces, type Listener } from '../../src/core/event-hub.ts';
import { createLog } from '../../src/core/log.ts';
import { nextTurn } from '../../src/utils/async/event-loop.ts';
import { until } from '../until.ts';

interface Options {
  maxListeners?: number;
  maxPerKey?: number;
  prepare?(event: number): Promise<string>;
  more?(): Promise<number[]>;
}

function newHub({
  prepare = async (n) => String(n),
  more = async () => [],
  ...rest
}: Options = {}) {
  const lines: string[] = [];
  const log = createLog({
    level: 'error',
    format: 'json',
    write: (line) => void lines.push(line),
    now: () => new Date(0),
  });
  const places = createPlaces({ maxListeners: 10, maxPerKey: 10, ...rest });
  const hub = createEventHub<number, string>({ log, places, prepare, more, sizeOf: () => 1000 });
  return { hub, lines };
}

function newListener() {
  const delivered: string[] = [];
  const batches: number[] = [];
  const state = { delivered, batches, ended: 0 };
  const listener: Listener<string> = {
    deliver: (messages) => {
      delivered.push(...messages);
      batches.push(messages.length);
    },
    end: () => {
      state.ended++;
    },
  };
  return { ...state, listener, state };
}

/** Long enough to deliver one event. */
const turns = async () => {
  for (let turn = 0; turn < 20; turn++) await nextTurn();
};

describe('the hub', () => {
  test('delivers every event to every listener in order, asynchronously', async () => {
    const { hub } = newHub();
    const [a, b] = [newListener(), newListener()];
    hub.join(a.listener, null);
    hub.join(b.listener, null);
    for (let n = 0; n < 200; n++) hub.publish(n);
    expect(a.delivered).toEqual([]);
    await until(() => b.delivered.length >= 200);
    const all = Array.from({ length: 200 }, (_, n) => String(n));
    expect([a.delivered, b.delivered]).toEqual([all, all]);
    expect(Math.max(...a.batches)).toBeLessThanOrEqual(64);
  });

  test('prepares an event once, and none without listeners', async () => {
    const prepared: number[] = [];
    const { hub } = newHub({
      prepare: async (n) => {
        prepared.push(n);
        return String(n);
      },
    });
    hub.publish(1);
    for (let n = 0; n < 3; n++) hub.join(newListener().listener, null);
    hub.publish(2);
    await until(() => prepared.length > 0);
    await turns();
    expect(prepared).toEqual([2]);
  });

  test('fetches all waiting events when woken, and fetches again if woken meanwhile', async () => {
    const waiting = Array.from({ length: 300 }, (_, n) => n);
    let fetches = 0;
    const { hub } = newHub({
      more: async () => {
        if (++fetches === 1) hub.wake();
        return waiting.splice(0, 100);
      },
    });
    hub.wake();
    expect(fetches).toBe(0);
    const { delivered, listener } = newListener();
    hub.join(listener, null);
    hub.wake();
    await until(() => delivered.length >= 300);
    waiting.push(300);
    hub.wake();
    await until(() => delivered.length > 300);
    expect(delivered).toEqual(Array.from({ length: 301 }, (_, n) => String(n)));
  });

  test('delivers nothing to a listener that has left', async () => {
    const { hub } = newHub();
    const { delivered, listener } = newListener();
    const leave = hub.join(listener, null);
    hub.publish(1);
    leave();
    leave();
    await turns();
    expect([delivered, hub.size()]).toEqual([[], 0]);
  });

  test('ends only a listener that throws', async () => {
    const { hub, lines } = newHub();
    const bad = newListener();
    const good = newListener();
    const deliver = () => {
      throw new Error('no');
    };
    hub.join({ ...bad.listener, deliver }, null);
    hub.join(good.listener, null);
    hub.publish(1);
    await until(() => good.delivered.length > 0);
    expect([bad.state.ended, good.delivered]).toEqual([1, ['1']]);
    expect(lines.join()).toContain('A listener failed');
  });

  test('ends all listeners if events cannot be prepared, and continues', async () => {
    let isBroken = true;
    const { hub } = newHub({
      prepare: (n) => (isBroken ? Promise.reject(new Error('no')) : Promise.resolve(String(n))),
    });
    const { state, delivered, listener } = newListener();
    hub.join(listener, null);
    hub.publish(1);
    await until(() => state.ended > 0);
    await turns();
    expect(state.ended).toBe(1);
    isBroken = false;
    hub.publish(2);
    await until(() => delivered.length > 0);
    expect(delivered).toEqual(['2']);
  });

  test('ends all listeners before its queue exceeds its limit', () => {
    const { hub } = newHub();
    const { state, listener } = newListener();
    hub.join(listener, null);
    for (let n = 0; n < 10_001; n++) hub.publish(n);
    expect(state.ended).toBe(1);
  });

  test('limits the listeners in total and per key', () => {
    const { hub } = newHub({ maxListeners: 3, maxPerKey: 2 });
    const join = (key: string | null) => hub.join(newListener().listener, key);
    const leave = join('a');
    join('a');
    expect(() => join('a')).toThrow(expect.objectContaining({ code: 'too_many_requests' }));
    leave();
    join('a');
    join(null);
    expect(() => join('b')).toThrow(expect.objectContaining({ code: 'overloaded' }));
  });

  test('ends all listeners when it stops, and accepts no more', () => {
    const { hub } = newHub();
    const { state, listener } = newListener();
    hub.join(listener, null);
    hub.stop();
    expect(state.ended).toBe(1);
    // The next server will be ready soon.
    const refusal = { code: 'overloaded', retryAfterSeconds: 1 };
    expect(() => hub.join(listener, null)).toThrow(expect.objectContaining(refusal));
  });
});
