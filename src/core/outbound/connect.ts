import { readFile } from 'node:fs/promises';
import ipaddr from 'ipaddr.js';

/** After so long a connection that is not accepted is asked for again (RFC 6298, section 2). */
export const FIRST_RETRY_MS = 1_000;

/**
 * Whether a connection to an address and port is waited for, and was asked for again in vain.
 * Bun's fetch does not tell when a connection stands; Linux does, in /proc/net/tcp and tcp6
 * (proc_pid_net(5)). It tells of all connections of the machine to there: one that another call
 * waits for in vain counts too, one that is merely new does not. False where there is no such file.
 */
export async function isStillConnecting(address: string, port: number): Promise<boolean> {
  const ip = ipaddr.parse(address);
  const file = ip.kind() === 'ipv4' ? '/proc/net/tcp' : '/proc/net/tcp6';
  const table = await readFile(file, 'latin1').catch(() => '');
  const remote = `${wordsOf(ip.toByteArray())}:${hexOf(port, 4)}`;
  return waitingFor(remote).test(table);
}

/** A row: remote address, state SYN-SENT, queues, timer, and how often it was asked for again. */
function waitingFor(remote: string): RegExp {
  return new RegExp(` ${remote} 02 [0-9A-F:]+ [0-9A-F:]+ (?!00000000)[0-9A-F]{8} `);
}

/** Words of four bytes, each the other way round: as a machine that is little-endian holds them. */
function wordsOf(bytes: number[]): string {
  const turned = bytes.map((_, index) => bytes[index ^ 3] ?? 0);
  return turned.map((byte) => hexOf(byte, 2)).join('');
}

function hexOf(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}
