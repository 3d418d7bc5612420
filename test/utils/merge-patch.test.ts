import { expect, test } from 'bun:test';
import { mergePatch } from '../../src/utils/json/merge-patch.ts';

const patched = (target: string, patch: string) =>
  JSON.stringify(mergePatch(JSON.parse(target), JSON.parse(patch)));

test.each([
  ['{"a":1,"b":2}', '{"b":null,"c":3}', '{"a":1,"c":3}'],
  ['{"a":{"b":1,"c":2}}', '{"a":{"b":null,"d":[1]}}', '{"a":{"c":2,"d":[1]}}'],
  ['{"a":[1,2]}', '{"a":{"b":1}}', '{"a":{"b":1}}'],
  ['{"__proto__":{"a":1},"k":1}', '{"k":2}', '{"__proto__":{"a":1},"k":2}'],
  ['{"__proto__":{"a":1}}', '{"__proto__":{"b":2}}', '{"__proto__":{"a":1,"b":2}}'],
  ['{}', '{"constructor":{"x":1}}', '{"constructor":{"x":1}}'],
])('%s with the patch %s is %s', (target, patch, result) => {
  expect(patched(target, patch)).toBe(result);
});
