import { readFile } from 'node:fs/promises';
import ipaddr from 'ipaddr.js';

/** The kernel retransmits a SYN after this time (RFC 6298, section 2). */
export const FIRST_RETRANSMISSION_MS = 1_000;

/**
 * Returns true if a connection to an address and port is pending and its SYN was retransmitted. Bun's
 * fetch does not report when a connection is established; Linux does, in /proc/net/tcp and tcp6
 * (proc_pid_net(5)). The files list all connections of the machine, so a pending connection of another
 * call counts too. Returns false on systems without these files.
 */
export async function isStillConnecting(address: string, port: number): Promise<boolean> {
  const ip = ipaddr.parse(address);
  const file = ip.kind() === 'ipv4' ? '/proc/net/tcp' : '/proc/net/tcp6';
  const table = await readFile(file, 'latin1').catch(() => '');
  const remote = `${wordsOf(ip.toByteArray())}:${hexOf(port, 4)}`;
  return retransmittedSyn(remote).test(table);
}

/** Matches a row: remote address, state SYN-SENT, queues, timer and a retransmission count above 0. */
function retransmittedSyn(remote: string): RegExp {
  return new RegExp(` ${remote} 02 [0-9A-F:]+ [0-9A-F:]+ (?!00000000)[0-9A-F]{8} `);
}

/** Formats bytes as 32-bit words in little-endian order. */
function wordsOf(bytes: number[]): string {
  const swapped = bytes.map((_, index) => bytes[index ^ 3] ?? 0);
  return swapped.map((byte) => hexOf(byte, 2)).join('');
}

function hexOf(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}
