const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

/** True if a Host header, with or without a port, names the local machine. */
export function isLoopbackHost(host: string): boolean {
  return LOOPBACK.test(host);
}

/** True if secrets may be sent to this URL: it uses TLS or does not leave the machine. */
export function isSafeUrl({ protocol, host }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(host));
}

const HERE = /(^|\.)(localhost|local|internal|home\.arpa)$/;

/**
 * True if a Host header can name this machine in its network: by an address, by a name without a dot
 * or by a domain that cannot be registered. Any other name may belong to a stranger.
 */
export function isLocalHost(host: string): boolean {
  const name = host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
  // A name whose last label is a number is an IPv4 address (URL Standard, host parsing).
  return !name.includes('.') || /^\[[\da-f:.]+\]$|\.\d+$/.test(name) || HERE.test(name);
}
