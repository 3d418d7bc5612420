import type { Deps } from '../../../core/deps.ts';
import { ItemBatch, ItemBatchResults } from '../../../schemas/items/items-v2.ts';
import { accountRoutes, userRoute } from '../../plugins/access-rules.ts';
import { createOnce } from '../../responses/idempotency.ts';
import { KEYED, SIGNED_IN, v2BodyErrors } from '../responses.ts';

type Results = (typeof ItemBatchResults.static)['results'];
type Operation = (typeof ItemBatch.static)['operations'][number];

/** Changes many items with one request. */
export const createItemBatchRoutes = ({
  itemBatch: service,
  idempotency,
}: Pick<Deps, 'itemBatch' | 'idempotency'>) => {
  const once = createOnce(idempotency);
  return accountRoutes({ prefix: '/items', tags: ['items'] }).post(
    '/batch',
    ({ actor, request, body, set }) =>
      once({ actor, request, body, set }, answerOf, (onWritten) =>
        service.run(actor, body.operations.map(completed), onWritten),
      ),
    {
      body: ItemBatch,
      response: {
        200: ItemBatchResults,
        ...v2BodyErrors(...SIGNED_IN, ...KEYED, 'batch_failed', 'inactive_user'),
      },
      detail: {
        ...userRoute('items:write', 'batchItems', 'Create, change and delete items atomically'),
        description:
          'Applies up to 1,000 operations in one transaction. If any fails, none is applied, and errors lists every failed operation by its position.',
        takesKey: true,
        body: { maxBytes: Number.POSITIVE_INFINITY, maxNodes: 40_000 },
      },
    },
  );
};

function answerOf(results: Results) {
  return { status: 200, body: { results } };
}

function completed(operation: Operation) {
  if (operation.op === 'delete') return operation;
  const { item, ...rest } = operation;
  return { ...rest, values: item };
}
