import { type Config, fetchLimit } from '../config/config.ts';
import { VERSION } from '../version.ts';
import { createOutbound, type Outbound } from './client.ts';
import type { Lookup } from './lookup.ts';

export interface OutboundClients {
  /** Calls URLs of clients and admins: public hosts and those of the allow-list. */
  outbound: Outbound;
  /** Calls sign-in providers, which the operator configures and which may be private. */
  trustedOutbound: Outbound;
}

/** Concurrent requests to sign-in providers; they are reserved, so that other calls cannot delay sign-in. */
const MAX_TRUSTED = 64;

/** Creates the outbound clients of the process, which share one resolver. */
export function createOutboundClients(config: Config, lookup: Lookup): OutboundClients {
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
      // Anonymous requests could cause the provider to fail and so open the circuit for everyone.
      breaker: false,
    }),
  };
}
