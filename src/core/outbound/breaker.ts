import { LRUCache } from 'lru-cache';
import type { Target } from './address.ts';
import { type HostOutcome, OutboundError, outcomeOf } from './errors.ts';

export interface BreakerOptions {
  /** Consecutive failures that open the circuit, at least 1. */
  readonly failures: number;
  /** The time for which the circuit stays open before a probe may pass. */
  readonly openMs: number;
}

export const DEFAULT_BREAKER: BreakerOptions = { failures: 5, openMs: 30_000 };

/** Selects the circuit of a request; owners have separate circuits. */
export interface CircuitSelector {
  readonly breaker: BreakerOptions | false;
  readonly owner: string | undefined;
}

/** A circuit whose last request failed. */
export interface CircuitStats {
  /** Host and port. */
  readonly host: string;
  readonly state: 'closed' | 'open' | 'half_open';
  /** Consecutive failures. */
  readonly failures: number;
}

export interface Breakers {
  /** Milliseconds until a request may pass; 0 if one may pass now. */
  closedForMs(target: Target, selector: CircuitSelector): number;
  /** Throws circuit_open unless a request may pass now. */
  check(target: Target, selector: CircuitSelector): void;
  /** Sends a request and records its outcome. Throws circuit_open. */
  run<T>(target: Target, selector: CircuitSelector, send: () => Promise<T>): Promise<T>;
  /** The circuits whose last request failed. */
  stats(): CircuitStats[];
}

interface Circuit {
  readonly host: string;
  readonly openMs: number;
  failures: number;
  openedAtMs?: number;
  isProbing: boolean;
}

// Only failing hosts have a circuit; the least recently used one is dropped.
const MAX_CIRCUITS = 1_024;
/** The reported wait during a probe, which will be over by then. */
const PROBE_MS = 1_000;

/**
 * Creates circuit breakers, one per host, port, owner and options. A closed circuit passes requests.
 * After `failures` consecutive failures it opens and passes none; after `openMs` it passes one probe
 * at a time, and closes when a probe succeeds. `now` is monotonic.
 */
export function createBreakers(now: () => number): Breakers {
  const circuits = new LRUCache<string, Circuit>({ max: MAX_CIRCUITS });

  const closedForMs = (target: Target, { breaker, owner }: CircuitSelector): number => {
    if (!breaker || circuits.size === 0) return 0;
    const circuit = circuits.get(keyOf(target, breaker, owner));
    if (circuit?.openedAtMs === undefined) return 0;
    const leftMs = circuit.openedAtMs + circuit.openMs - now();
    return leftMs > 0 ? leftMs : circuit.isProbing ? PROBE_MS : 0;
  };

  const check = (target: Target, selector: CircuitSelector): void => {
    const retryAfterMs = closedForMs(target, selector);
    if (retryAfterMs === 0) return;
    const message = `${target.host} failed too often and is left alone for a while`;
    throw new OutboundError('circuit_open', message, { retryAfterMs });
  };

  const addFailure = (circuit: Circuit, { failures }: BreakerOptions): void => {
    circuit.failures += 1;
    if (circuit.failures >= failures) circuit.openedAtMs = now();
  };

  const record = (key: string, target: Target, options: BreakerOptions, outcome: HostOutcome) => {
    const circuit = circuits.get(key);
    // A request from before the circuit opened says nothing about the host now.
    if (circuit?.openedAtMs !== undefined || outcome === 'neither') return;
    if (outcome === 'success') {
      circuits.delete(key);
      return;
    }
    const host = `${target.hostname}:${target.port}`;
    const failing = circuit ?? { host, openMs: options.openMs, failures: 0, isProbing: false };
    circuits.set(key, failing);
    addFailure(failing, options);
  };

  /** Returns the function that records the outcome of the request that starts now. */
  const begin = (target: Target, options: BreakerOptions, key: string) => {
    const probed = circuits.get(key);
    if (probed?.openedAtMs === undefined) {
      return (outcome: HostOutcome) => record(key, target, options, outcome);
    }
    probed.isProbing = true;
    return (outcome: HostOutcome) => {
      probed.isProbing = false;
      if (outcome === 'success') circuits.delete(key);
      else if (outcome === 'failure') addFailure(probed, options);
    };
  };

  return {
    closedForMs,
    check,
    run: async (target, selector, send) => {
      const { breaker, owner } = selector;
      if (!breaker) return send();
      check(target, selector);
      const settle = begin(target, breaker, keyOf(target, breaker, owner));
      try {
        const result = await send();
        settle('success');
        return result;
      } catch (error) {
        settle(outcomeOf(error));
        throw error;
      }
    },
    stats: () =>
      [...circuits.values()].map(({ host, failures, openedAtMs, openMs }) => {
        if (openedAtMs === undefined) return { host, state: 'closed', failures };
        return { host, state: now() < openedAtMs + openMs ? 'open' : 'half_open', failures };
      }),
  };
}

function keyOf({ hostname, port }: Target, options: BreakerOptions, owner = ''): string {
  const { failures, openMs } = options;
  return `${hostname}:${port} ${failures} ${openMs} ${owner}`;
}
