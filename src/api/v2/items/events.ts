import type { Server } from 'bun';
import type { AnyActor } from '../../../core/actor.ts';
import type { Deps } from '../../../core/deps.ts';
import { ItemEventStream, ItemEventsQuery } from '../../../schemas/items/events.ts';
import type { Outlet } from '../../../services/items/events.ts';
import { createStillKnown } from '../../plugins/access.ts';
import { openRoutes, optionalRoute } from '../../plugins/access-rules.ts';
import { createClientNetwork } from '../../request/origin.ts';
import { createEventStream, type EventStream } from '../../responses/event-stream.ts';
import { SIGNED_IN, v2Errors } from '../responses.ts';
import { frameOf, HEARTBEAT, openingFrame } from './event-frames.ts';

/** What a route knows of the connection behind its request. */
interface Behind {
  actor: AnyActor;
  request: Request;
  server: Server<unknown> | null;
}

type Listened = Pick<Deps, 'itemEvents' | 'auth' | 'accessChanges' | 'config' | 'log'>;

export const createItemEventRoutes = (deps: Listened) => {
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
        // For nginx, which would keep events back.
        'x-accel-buffering': 'no',
      };
      // Nothing is left for Elysia to copy: it would read the stream and write another.
      set.headers = {};
      return new Response(body, { headers }) as unknown as typeof ItemEventStream.static;
    },
    {
      query: ItemEventsQuery,
      response: { 200: ItemEventStream, ...v2Errors(...SIGNED_IN, 'validation_failed') },
      detail: {
        ...optionalRoute('items:read', 'listenToItems', 'Listen to items (server-sent events)'),
        description:
          'A stream without an end: one event for each change of an item that the caller may see.',
        responseTypes: ['text/event-stream'],
        'x-parameters': [
          {
            in: 'header',
            name: 'Last-Event-ID',
            required: false,
            description: 'Resumes after this event. It wins over last_event_id.',
            schema: { type: 'string', maxLength: 64, examples: ['42'] },
          },
        ],
      },
    },
  );
};

/** Gives what opens a stream for a request. It throws overloaded and too_many_requests. */
function createListen({ itemEvents: service, auth, accessChanges, config, log }: Listened) {
  const isStillKnown = createStillKnown({ auth, config });
  const networkFor = createClientNetwork({ config });
  const heartbeatMs = config.heartbeatSeconds * 1000;
  return ({ actor, request, server }: Behind, lastId: string | undefined): ReadableStream => {
    const peer = server?.requestIP(request)?.address;
    const address = peer === undefined ? null : networkFor(peer, request);
    const onSlow = () => log.info('A listener that reads too slowly was dropped.', { address });
    const stream = createEventStream({ onSlow });
    const outlet = createOutlet(stream);
    const leave = service.listen({ actor, address, lastId }, outlet);
    const judge = async (goOn: () => void) =>
      (await isStillKnown(actor, request)) ? goOn() : stream.end();
    const heart = setInterval(() => void judge(() => stream.push([HEARTBEAT])), heartbeatMs);
    const unwatch = actor.id !== null && accessChanges.watch(actor.id, () => void judge(() => {}));
    void stream.ended.then(() => {
      clearInterval(heart);
      if (unwatch) unwatch();
      leave();
      // A reader that does not read would hold the connection: what it has not taken is dropped.
      server?.timeout(request, 1);
    });
    // It may have gone while it was asked who it is.
    if (request.signal.aborted) stream.end();
    else request.signal.addEventListener('abort', stream.end);
    return stream.body;
  };
}

/** Writes what is told as frames. */
function createOutlet(stream: EventStream): Outlet {
  let isOpen = false;
  return {
    tell: (told, position) => {
      const opening = isOpen ? [] : [openingFrame(position)];
      isOpen = true;
      stream.push([...opening, ...told.map((each) => frameOf(each, position))]);
    },
    hasRoom: stream.hasRoom,
    end: stream.end,
  };
}
