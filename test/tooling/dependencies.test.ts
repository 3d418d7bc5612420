import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';

/** name@version, registry (empty: the default one), details, hash. */
type Locked = [spec: string, registry: string, details: object, hash: string];

const root = join(import.meta.dir, '../..');
const text = await Bun.file(join(root, 'bun.lock')).text();
const { packages } = Bun.JSONC.parse(text) as { packages: Record<string, Locked> };
const named = (await Bun.file(join(root, 'package.json')).json()) as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

/** The first versions without known vulnerabilities, and packages without a fixed version. */
const FLOORS = { elysia: '1.4.28', 'drizzle-orm': '0.45.2', bun: '1.4.5' };
const BANNED = ['ip', 'private-ip', 'ssrfcheck', 'dssrf', 'jsonwebtoken', 'request'];

describe('the inventory of dependencies', () => {
  // proves: dependencies.bun-lock-is-the-inventory-each-package-with, 15.1.2
  test('contains only packages of the default registry, each with its hash', () => {
    const odd = Object.values(packages).filter(
      ([spec, registry, , hash]) =>
        !/^(@[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+[\w.+-]*$/.test(spec) ||
        registry !== '' ||
        !/^sha512-[\w+/]{86}==$/.test(hash),
    );
    expect(odd).toEqual([]);
    expect(Object.keys(packages).length).toBeGreaterThan(50);
  });

  // proves: dependencies.bun-lock-is-the-inventory-each-package-with, 15.1.2
  test('contains only exact versions', () => {
    const versions = Object.values({ ...named.dependencies, ...named.devDependencies });
    const ranges = versions.filter((it) => !/^(npm:[\w-]+@)?\d+\.\d+\.\d+$/.test(it));
    expect(ranges).toEqual([]);
  });

  // proves: dependencies.bun-lock-is-the-inventory-each-package-with, 15.2.1
  test('contains no version with a known vulnerability', () => {
    for (const [name, floor] of Object.entries(FLOORS)) {
      const version = packages[name]?.[0].slice(name.length + 1) ?? '';
      expect([name, Bun.semver.order(version, floor) >= 0]).toEqual([name, true]);
    }
    const names = Object.values(packages).map(([spec]) => spec.slice(0, spec.lastIndexOf('@')));
    expect(names.filter((name) => BANNED.includes(name))).toEqual([]);
  });
});
