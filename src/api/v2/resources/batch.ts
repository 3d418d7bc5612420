import type { BatchOperation, BatchResult } from '../../../services/resources/batch.ts';
import type { Values } from '../../../services/resources/values.ts';
import { createTextOnce } from '../../responses/idempotency.ts';
import { KEYED } from '../responses.ts';
import type { Context, Route, Served } from './route.ts';

/** An operation as the client sends it: the values of the row are under its singular name. */
interface Sent {
  op: BatchOperation['op'];
  id?: number;
  if_match?: number;
  [one: string]: unknown;
}

/** Changes many rows with one request. */
export function batchRoute(resource: Served): Route {
  const { schemas, access, names, service, definition } = resource;
  const once = createTextOnce(resource.deps.idempotency);
  const toResponse = (results: BatchResult[]) => ({
    status: 200,
    text: JSON.stringify({ results: results.map(shownResult) }),
  });
  const read = ({ [definition.one]: values, ...rest }: Sent) =>
    ({ ...rest, ...(values !== undefined && { values: values as Values }) }) as BatchOperation;
  return {
    method: 'POST',
    path: '/batch',
    handler: ({ actor, request, body, set }: Context<{ operations: Sent[] }>) =>
      once({ actor, request, body, set }, toResponse, (onWritten) =>
        service.batch.run(actor, body.operations.map(read), onWritten),
      ),
    body: schemas.Batch,
    response: {
      200: schemas.BatchResults,
      ...access.bodyErrors(...KEYED, 'batch_failed', 'inactive_user'),
    },
    detail: {
      ...access.writes(`batch${names.Many}`, `Create, change and delete ${names.many} atomically`),
      description:
        'Applies up to 1,000 operations in one transaction. If any fails, none is applied, and errors lists every failed operation by its position.',
      takesKey: true,
      body: { maxBytes: Number.POSITIVE_INFINITY, maxNodes: 40_000 },
    },
  };
}

function shownResult({ op, id, version }: BatchResult): BatchResult {
  return { op, id, version };
}
