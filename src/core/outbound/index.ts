import { type Config, fetchLimit } from '../config/config.ts';
import { VERSION } from '../version.ts';
import { createOutbound, type Outbound } from './client.ts';
import type { Lookup } from './lookup.ts';

export interface WaysOut {
  /** To hosts that clients and admins name: public ones, and those of the allow-list. */
  outbound: Outbound;
  /** To providers of sign-in, which the operator names: they may be private. */
  trustedOutbound: Outbound;
}

/** Requests at once to providers of sign-in: calls of clients leave room for them. */
const MAX_TRUSTED = 64;

/** The ways out of the process; they share one lookup of names. */
export function createWaysOut(config: Config, lookup: Lookup): WaysOut {
  return {
    outbound: createOutbound({
      version: VERSION,
      lookup,
      allowHosts: config.externalAllowHosts,
      onlyHosts: config.externalOnlyHosts,
      maxInFlight: Math.min(config.externalMaxCalls, fetchLimit() - MAX_TRUSTED),
      maxPerHost: config.externalMaxCallsPerHost,
      deadlineMs: config.externalTimeoutMs,
      maxBytes: config.externalMaxBytes,
    }),
    trustedOutbound: createOutbound({
      version: VERSION,
      lookup,
      allowHosts: 'any',
      maxRedirects: 0,
      maxInFlight: MAX_TRUSTED,
      // Strangers could open it for everybody, by what they make the provider refuse.
      breaker: false,
    }),
  };
}
