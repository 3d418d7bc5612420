import { describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { REPORTS } from './field/field.ts';
import { findingsOf, NOT_FINDINGS } from './findings.ts';
import { ATTACKS } from './hostile/hostile.ts';

describe('each finding has a check that tries it again', () => {
  test.each([
    ['hostile', ATTACKS, findingsOf('H', 'M', 'L')],
    ['field', REPORTS, findingsOf('F')],
  ] as const)('in the campaign %s', (_, checks, findings) => {
    expect(findings.length).toBeGreaterThan(30);
    const tried = new Set(checks.map(({ finding }) => finding));
    expect(findings.filter((finding) => !tried.has(finding))).toEqual([]);
    expect([...tried].filter((finding) => !findings.includes(finding))).toEqual([]);
  });

  test('and each number without one has a reason', () => {
    const reasons = Object.values(NOT_FINDINGS);
    expect(reasons.length).toBeGreaterThan(0);
    expect(reasons.filter((reason) => reason.length < 10)).toEqual([]);
  });
});

test('each check that a short run leaves out names a test file that tries it', () => {
  const files = [...ATTACKS, ...REPORTS].flatMap(({ triedBy }) => triedBy ?? []);
  expect(files.length).toBeGreaterThan(0);
  expect(files.filter((file) => !existsSync(resolve(import.meta.dir, '../..', file)))).toEqual([]);
});
