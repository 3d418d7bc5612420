import type { Config } from './config.ts';
import { createOutbound, type Outbound } from './http.ts';
import type { Lookup } from './lookup.ts';
import { VERSION } from './version.ts';

export interface WaysOut {
  /** To hosts that clients and admins name: public ones, and those of the allow-list. */
  outbound: Outbound;
  /** To providers of sign-in, which the operator names: they may be private. */
  trustedOutbound: Outbound;
}

/** The ways out of the process; they share one lookup of names. */
export function createWaysOut(config: Config, lookup: Lookup): WaysOut {
  return {
    outbound: createOutbound({
      version: VERSION,
      lookup,
      allowHosts: config.externalAllowHosts,
      onlyHosts: config.externalOnlyHosts,
      deadlineMs: config.externalTimeoutMs,
      maxBytes: config.externalMaxBytes,
    }),
    trustedOutbound: createOutbound({
      version: VERSION,
      lookup,
      allowHosts: 'any',
      maxRedirects: 0,
      maxPerHost: 32,
      // Strangers could open it for everybody, by what they make the provider refuse.
      breaker: false,
    }),
  };
}
