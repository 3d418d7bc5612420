import { beforeAll, describe, expect, test } from 'bun:test';
import { resolve } from 'node:path';
import { tempDir } from '../../support.ts';
import type { Silence } from './inside-silence.ts';
import { hasNamespaces, openNamespace } from './namespace.ts';

const isPossible = await hasNamespaces();

// Needs root and network namespaces.
describe.skipIf(!isPossible)('while an account asks for names that no server answers for', () => {
  let answered: string[];
  let unanswered: string[];
  beforeAll(async () => {
    await using namespace = await openNamespace('silence');
    const script = resolve(import.meta.dir, 'inside-silence.ts');
    const said = await namespace.run([process.execPath, script, tempDir()]);
    ({ answered, unanswered } = JSON.parse(said) as Silence);
  }, 60_000);

  // proves: costly-work.looking-up-a-name, 15.2.2
  test('others sign up, sign in and call outside hosts before it is answered', () => {
    const others = ['ada signs up 201', 'ada signs in 200', 'ada fetches 200 200'];
    expect(answered.slice(2, 5)).toEqual(others);
    expect(answered).toContain('mallory fetches 200');
    expect(answered).toContain('mallory asks v1 502');
  });

  test('a provider of sign-in, a mail server and a source of such names hold up nobody', () => {
    const inside = ['provider.dead.test', 'mail.dead.test', 'source.dead.test'];
    expect(inside.filter((it) => !unanswered.includes(it))).toEqual([]);
    expect(answered).toContain('somebody asks the provider 502');
    expect(answered.at(-2)).toBe('ada signs in 200');
  });

  // proves: calls-out.the-name-servers-of-etc-resolv-conf
  test('a name server that resolv.conf names anew is asked from then on', () => {
    expect(answered.at(-1)).toBe('ada fetches 200 200');
  });
});
