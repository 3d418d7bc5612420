import type { Server } from 'bun';
import type { AnyActor } from '../../../core/actor.ts';
import type { Deps } from '../../../core/deps.ts';
import { ItemEventStream, ItemEventsQuery } from '../../../schemas/items/events.ts';
import type { Item } from '../../../services/items/rows.ts';
import type { RowListener } from '../../../services/resources/events/listeners.ts';
import { createIdentityCheck } from '../../plugins/access.ts';
import { openRoutes, optionalRoute } from '../../plugins/access-rules.ts';
import { createClientNetwork } from '../../request/origin.ts';
import { createEventStream, type EventStream } from '../../responses/event-stream.ts';
import { SIGNED_IN, v2Errors } from '../responses.ts';
import { frameOf, HEARTBEAT, openingFrame } from './event-frames.ts';

/** A request, its caller and the server that received it. */
interface Connection {
  actor: AnyActor;
  request: Request;
  server: Server<unknown> | null;
}

type ListenDeps = Pick<Deps, 'itemEvents' | 'auth' | 'accessChanges' | 'config' | 'log'>;

export const createItemEventRoutes = (deps: ListenDeps) => {
  const listen = createListen(deps);
  return openRoutes({ prefix: '/items', tags: ['items'] }).get(
    '/events',
    ({ actor, request, server, query, set }) => {
      const lastId = request.headers.get('last-event-id') || query.last_event_id || undefined;
      const body = request.method === 'HEAD' ? null : listen({ actor, request, server }, lastId);
      const headers = {
        ...(set.headers as Record<string, string>),
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        // Without it nginx buffers events.
        'x-accel-buffering': 'no',
      };
      // Empty, so that Elysia does not copy the headers into a new response around the stream.
      set.headers = {};
      return new Response(body, { headers }) as unknown as typeof ItemEventStream.static;
    },
    {
      query: ItemEventsQuery,
      response: { 200: ItemEventStream, ...v2Errors(...SIGNED_IN, 'validation_failed') },
      detail: {
        ...optionalRoute('items:read', 'listenToItems', 'Listen to items (server-sent events)'),
        description:
          'An endless stream with one event for each change of an item that the caller may see.',
        responseTypes: ['text/event-stream'],
        'x-parameters': [
          {
            in: 'header',
            name: 'Last-Event-ID',
            required: false,
            description: 'Resumes after this event. Takes precedence over last_event_id.',
            schema: { type: 'string', maxLength: 64, examples: ['42'] },
          },
        ],
      },
    },
  );
};

/** Returns a function that opens the stream of a request. It throws overloaded and too_many_requests. */
function createListen({ itemEvents: service, auth, accessChanges, config, log }: ListenDeps) {
  const isStillKnown = createIdentityCheck({ auth, config });
  const networkFor = createClientNetwork({ config });
  const heartbeatMs = config.heartbeatSeconds * 1000;
  return ({ actor, request, server }: Connection, lastId: string | undefined): ReadableStream => {
    const peer = server?.requestIP(request)?.address;
    const address = peer === undefined ? null : networkFor(peer, request);
    const onSlow = () => log.info('A slow listener was disconnected.', { address });
    const stream = createEventStream({ onSlow });
    const leave = service.listen({ actor, address, lastId }, createListener(stream));
    const checkAccess = async (proceed: () => void) =>
      (await isStillKnown(actor, request)) ? proceed() : stream.end();
    const heartbeat = () => stream.push([HEARTBEAT]);
    const timer = setInterval(() => void checkAccess(heartbeat), heartbeatMs);
    const unwatch =
      actor.id !== null && accessChanges.watch(actor.id, () => void checkAccess(() => {}));
    void stream.ended.then(() => {
      clearInterval(timer);
      if (unwatch) unwatch();
      leave();
      // A client that does not read would hold the connection: drop what it has not read.
      server?.timeout(request, 1);
    });
    // The client may have disconnected during authentication.
    if (request.signal.aborted) stream.end();
    else request.signal.addEventListener('abort', stream.end);
    return stream.body;
  };
}

/** Writes messages to a stream as server-sent events. */
function createListener(stream: EventStream): RowListener<Item> {
  let isOpen = false;
  return {
    send: (messages, position) => {
      const opening = isOpen ? [] : [openingFrame(position)];
      isOpen = true;
      stream.push([...opening, ...messages.map((each) => frameOf(each, position))]);
    },
    hasRoom: stream.hasRoom,
    end: stream.end,
  };
}
