import { beforeAll, describe, expect, test } from 'bun:test';
import { resolve } from 'node:path';
import { tempDir } from '../../support.ts';
import type { Silence } from './inside-silence.ts';
import { hasNamespaces, openNamespace } from './namespace.ts';

const isPossible = await hasNamespaces();

// Needs root and network namespaces.
describe.skipIf(!isPossible)('while one account calls names that are never resolved', () => {
  let answered: string[];
  let unanswered: string[];
  beforeAll(async () => {
    await using namespace = await openNamespace('silence');
    const script = resolve(import.meta.dir, 'inside-silence.ts');
    const output = await namespace.run([process.execPath, script, tempDir()]);
    ({ answered, unanswered } = JSON.parse(output) as Silence);
  }, 60_000);

  // proves: costly-work.looking-up-a-name, 15.2.2
  test('others can sign up, sign in and call external hosts', () => {
    const others = ['ada signs up 201', 'ada signs in 200', 'ada fetches 200 200'];
    expect(answered.slice(2, 5)).toEqual(others);
    expect(answered).toContain('mallory fetches 200');
    expect(answered).toContain('mallory calls v1 502');
  });

  test('a sign-in provider, a mail server and a source with such names delay no one else', () => {
    const inside = ['provider.dead.test', 'mail.dead.test', 'source.dead.test'];
    expect(inside.filter((it) => !unanswered.includes(it))).toEqual([]);
    expect(answered).toContain('a visitor starts a sign-in 502');
    expect(answered.at(-2)).toBe('ada signs in 200');
  });

  // proves: outbound-calls.the-name-servers-of-etc-resolv-conf
  test('a changed resolv.conf takes effect', () => {
    expect(answered.at(-1)).toBe('ada fetches 200 200');
  });
});
