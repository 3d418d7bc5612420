import { existsSync, statSync } from 'node:fs';
import { isLoopbackHost } from '../../utils/http/loopback.ts';
import type { Config } from './config.ts';

/** Warnings about unsafe settings, one sentence each. */
export function startWarnings(config: Config): string[] {
  const { dataDir, resourcesDir } = config;
  return [
    ...networkWarnings(config),
    ...directoryWarnings('data directory', dataDir),
    // Its files are run.
    ...(existsSync(resourcesDir) ? directoryWarnings('directory of resources', resourcesDir) : []),
  ];
}

function networkWarnings({ host, publicUrl, registration, rateLimit }: Config): string[] {
  const isOpenToOthers = !isLoopbackHost(host) && host !== '::1';
  const { protocol, host: publicHost } = URL.parse(publicUrl) ?? { protocol: '', host: '' };
  const found: [isSo: boolean, text: string][] = [
    [rateLimit === 'off', 'There is no limit on requests and sign-ins: HUTCH_RATE_LIMIT is off.'],
    [
      isOpenToOthers && publicUrl === '' && registration === 'open',
      `Anyone who can reach ${host} can create an account: HUTCH_REGISTRATION is open.`,
    ],
    [
      isOpenToOthers && publicUrl === '',
      `Listening on ${host} without HUTCH_PUBLIC_URL: any Host header is accepted, and passwords and tokens may be sent unencrypted.`,
    ],
    [
      protocol === 'http:' && !isLoopbackHost(publicHost),
      'HUTCH_PUBLIC_URL is not https: passwords and tokens are sent unencrypted.',
    ],
  ];
  return found.flatMap(([isSo, text]) => (isSo ? [text] : []));
}

function directoryWarnings(what: string, dir: string): string[] {
  const { mode, uid } = statSync(dir);
  const own = process.getuid?.();
  // Windows has no file modes.
  if (own === undefined) return [];
  const path = JSON.stringify(dir);
  if ((mode & 0o022) !== 0) return [`Others may write to the ${what} ${path}: chmod go-w it.`];
  return uid === own || uid === 0 ? [] : [`The ${what} ${path} belongs to another user.`];
}
