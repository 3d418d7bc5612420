import { describe } from 'bun:test';
import type { Resource } from '../../src/resources/declare/definition.ts';
import { testAccess } from './conformance/access.ts';
import { testEvents } from './conformance/events.ts';
import { testLists } from './conformance/lists.ts';
import { testOptions } from './conformance/options.ts';
import { testRaces } from './conformance/races.ts';
import { testRows } from './conformance/rows.ts';

/**
 * Tests what the engine guarantees for a resource: every operation for every kind of caller, lists
 * against a naive model, races, events after the commit and the options of the declaration.
 */
export function conformance(resource: Resource): void {
  describe(`the resource ${resource.name}`, () => {
    testRows(resource);
    testAccess(resource);
    testLists(resource);
    testRaces(resource);
    testOptions(resource);
    testEvents(resource);
  });
}
