import type { TSchema } from '@sinclair/typebox';
import type { Server } from 'bun';
import type { DocumentDecoration } from 'elysia';
import type { Actor } from '../../../core/actor.ts';
import type { Deps } from '../../../core/deps.ts';
import type { Definition, Row } from '../../../resources/declare/definition.ts';
import type { Names } from '../../../resources/declare/words.ts';
import type { ResourceSchemas } from '../../../schemas/resources/index.ts';
import type { ResponseSet } from '../../responses/response-set.ts';
import type { AccessOf } from './access.ts';
import type { ListedRow, RowWriter } from './document.ts';
import type { ResourceServices } from './services.ts';

/**
 * The parts of a request that the handlers of a resource use. The access plugin has refused a request
 * without an account unless the route is open; services accept such an actor where it is.
 */
export interface Context<Body = unknown> {
  actor: Actor;
  request: Request;
  server: Server<unknown> | null;
  params: Record<string, number>;
  query: Record<string, string | undefined> & { limit?: number };
  body: Body;
  set: ResponseSet & { status?: number | string };
}

/** A route of a resource; its path follows that of the resource. */
export interface Route {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  /** Elysia reads in its source which parts of the context it needs, so it destructures them. */
  handler(context: Context<never>): unknown;
  body?: TSchema;
  params?: TSchema;
  query?: TSchema;
  response: Record<number, TSchema>;
  detail: DocumentDecoration & { 'x-parameters'?: readonly object[] };
}

/** A resource and all that its routes need. */
export interface Served {
  definition: Definition;
  /** The path of the resource, such as `/api/v2/items`. */
  path: string;
  /** The path of a row below that of the resource, such as `/:item_id`. */
  rowPath: string;
  names: Names;
  schemas: ResourceSchemas;
  access: AccessOf;
  writer: RowWriter;
  service: ResourceServices;
  /** Returns the row with an id as JSON, if the actor may read it; `null` otherwise. */
  expand(name: string, actor: Actor, id: number | null): Promise<string>;
  /** True if a row of another resource may prevent the deletion of a row. */
  isReferenced: boolean;
  deps: Deps;
}

/** Returns the id in the path of a request. */
export function idOf({ definition }: Served, params: Context['params']): number {
  return params[definition.idParam] as number;
}

/** Returns the keyed response that shows a row. */
export function shownRow({ path, writer }: Served, status: 200 | 201) {
  return (row: Row) => ({
    status,
    ...(status === 201 && { location: `${path}/${row.id}` }),
    version: row.version,
    text: writer.write(row as ListedRow),
  });
}
