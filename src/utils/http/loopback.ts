const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

/** Whether a Host header, with or without its port, names this machine itself. */
export function isLoopbackHost(host: string): boolean {
  return LOOPBACK.test(host);
}

/** Whether a secret may go there: over TLS, or without leaving this machine. */
export function isSafeUrl({ protocol, host }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(host));
}

const HERE = /(^|\.)(localhost|local|internal|home\.arpa)$/;

/**
 * Whether a Host header can name this machine in its network: by an address, a name without a dot,
 * or one of a domain that nobody can register. Of another name, a stranger may be the owner.
 */
export function isLocalHost(host: string): boolean {
  const name = host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
  // A name whose last label is a number is an IPv4 address (URL Standard, host parsing).
  return !name.includes('.') || /^\[[\da-f:.]+\]$|\.\d+$/.test(name) || HERE.test(name);
}
