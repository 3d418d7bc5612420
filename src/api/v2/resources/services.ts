import type { Deps } from '../../../core/deps.ts';
import type { Definition } from '../../../resources/declare/definition.ts';

/** The services of one resource, as its routes use them. */
export type ResourceServices = ReturnType<typeof servicesOf>;

type Engine = Deps['resources'][string];
type Optional = Pick<Engine, 'batch' | 'revisions' | 'events' | 'views'>;

/**
 * Returns the services of a resource. A service of an option that the declaration does not set is
 * undefined, but no route calls it. Throws if there are none.
 */
export function servicesOf(deps: Deps, { name }: Definition) {
  const engine = deps.resources[name];
  const exchange = deps.exchange[name];
  if (!engine || !exchange) throw new Error(`There are no services of ${name}.`);
  const { list, ...transfer } = exchange;
  const { service: user, rows, batch, revisions, events, views } = engine;
  const ofOptions = { batch, revisions, events, views } as Required<Optional> & {
    [Name in keyof Optional]: NonNullable<Optional[Name]>;
  };
  return { user, rows, list, transfer, ...ofOptions };
}
