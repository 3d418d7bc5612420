import { LRUCache } from 'lru-cache';
import type { Target } from './address.ts';
import { type HostOutcome, OutboundError, outcomeOf } from './errors.ts';

export interface BreakerOptions {
  /** Failures in a row that open it, 1 or more. */
  readonly failures: number;
  /** How long it stays open before one request may try again. */
  readonly openMs: number;
}

/** Which circuit a request passes: that of its owner, if it wants any. */
export interface Guarded {
  readonly breaker: BreakerOptions | false;
  readonly owner: string | undefined;
}

/** A circuit that is not in perfect health. */
export interface CircuitStats {
  /** Host and port. */
  readonly host: string;
  readonly state: 'closed' | 'open' | 'half_open';
  /** Failures in a row. */
  readonly failures: number;
}

interface Circuit {
  readonly host: string;
  readonly openMs: number;
  failures: number;
  openedAtMs?: number;
  isProbing: boolean;
}

// Only hosts that fail have a circuit; the one that was asked for least recently is forgotten.
const MAX_CIRCUITS = 1_024;
/** What is said while a probe is under way: it will be over by then. */
const PROBE_MS = 1_000;
/**
 * Circuit breakers, one for each host, port, owner and set of options. Closed, requests pass;
 * after so many failures in a row it is open and none does; after `openMs` one at a time may
 * try, and its success closes it.
 */
export class HttpBreakers {
  readonly #circuits = new LRUCache<string, Circuit>({ max: MAX_CIRCUITS });
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** How long no request may pass, in milliseconds; 0 when one may. */
  closedForMs(target: Target, { breaker, owner }: Guarded): number {
    if (!breaker || this.#circuits.size === 0) return 0;
    const circuit = this.#circuits.get(keyOf(target, breaker, owner));
    if (circuit?.openedAtMs === undefined) return 0;
    const leftMs = circuit.openedAtMs + circuit.openMs - this.#now();
    return leftMs > 0 ? leftMs : circuit.isProbing ? PROBE_MS : 0;
  }

  /** Throws circuit_open unless a request may pass now. */
  check(target: Target, guarded: Guarded): void {
    const retryAfterMs = this.closedForMs(target, guarded);
    if (retryAfterMs === 0) return;
    const message = `${target.host} failed too often and is left alone for a while`;
    throw new OutboundError('circuit_open', message, { retryAfterMs });
  }

  /** Lets one request pass and learns from its outcome. Throws circuit_open. */
  async pass<T>(target: Target, guarded: Guarded, send: () => Promise<T>): Promise<T> {
    const { breaker, owner } = guarded;
    if (!breaker) return send();
    this.check(target, guarded);
    const settle = this.#begin(target, breaker, keyOf(target, breaker, owner));
    try {
      const reply = await send();
      settle('success');
      return reply;
    } catch (error) {
      settle(outcomeOf(error));
      throw error;
    }
  }

  /** Those whose last request failed. */
  stats(): CircuitStats[] {
    return [...this.#circuits.values()].map((circuit) => {
      const { host, failures, openedAtMs, openMs } = circuit;
      if (openedAtMs === undefined) return { host, state: 'closed', failures };
      return { host, state: this.#now() < openedAtMs + openMs ? 'open' : 'half_open', failures };
    });
  }

  #begin(target: Target, options: BreakerOptions, key: string): (outcome: HostOutcome) => void {
    const probed = this.#circuits.get(key);
    if (probed?.openedAtMs === undefined) {
      return (outcome) => this.#settle(key, target, options, outcome);
    }
    probed.isProbing = true;
    return (outcome) => {
      probed.isProbing = false;
      if (outcome === 'success') this.#circuits.delete(key);
      else if (outcome === 'failure') this.#fail(probed, options);
    };
  }

  #settle(key: string, target: Target, options: BreakerOptions, outcome: HostOutcome): void {
    const circuit = this.#circuits.get(key);
    // What began before it opened says nothing of the host as it is now.
    if (circuit?.openedAtMs !== undefined || outcome === 'neither') return;
    if (outcome === 'success') {
      this.#circuits.delete(key);
      return;
    }
    const host = `${target.hostname}:${target.port}`;
    const failing = circuit ?? { host, openMs: options.openMs, failures: 0, isProbing: false };
    this.#circuits.set(key, failing);
    this.#fail(failing, options);
  }

  #fail(circuit: Circuit, { failures }: BreakerOptions): void {
    circuit.failures += 1;
    if (circuit.failures >= failures) circuit.openedAtMs = this.#now();
  }
}

function keyOf({ hostname, port }: Target, options: BreakerOptions, owner = ''): string {
  const { failures, openMs } = options;
  return `${hostname}:${port} ${failures} ${openMs} ${owner}`;
}
