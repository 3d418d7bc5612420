import type { Actor } from '../../../core/actor.ts';
import type { RowListener } from '../../../services/resources/events/listeners.ts';
import { createIdentityCheck } from '../../plugins/access.ts';
import { createClientNetwork } from '../../request/origin.ts';
import { createEventStream, type EventStream } from '../../responses/event-stream.ts';
import { createEventFrames, type EventFrames, HEARTBEAT, openingFrame } from './event-frames.ts';
import type { Context, Route, Served } from './route.ts';

/** A request, its caller and the server that received it. */
interface Connection extends Pick<Context, 'request' | 'server'> {
  actor: Actor;
}

/** Streams the changes of rows as server-sent events. */
export function eventsRoute(resource: Served): Route {
  const { schemas, access, names } = resource;
  const listen = createListen(resource);
  return {
    method: 'GET',
    path: '/events',
    handler: ({ actor, request, server, query, set }: Context) => {
      const lastId = request.headers.get('last-event-id') || query['last_event_id'] || undefined;
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
      return new Response(body, { headers });
    },
    query: schemas.EventsQuery,
    response: { 200: schemas.EventStream, ...access.readErrors('validation_failed') },
    detail: {
      ...access.reads(`listenTo${names.Many}`, `Listen to ${names.many} (server-sent events)`),
      description: `An endless stream with one event for each change of ${names.anyOne} that the caller may see.`,
      responseTypes: ['text/event-stream'],
      'x-parameters': [LAST_EVENT_ID],
    },
  };
}

const LAST_EVENT_ID = {
  in: 'header',
  name: 'Last-Event-ID',
  required: false,
  description: 'Resumes after this event. Takes precedence over last_event_id.',
  schema: { type: 'string', maxLength: 64, examples: ['42'] },
};

/** Returns a function that opens the stream of a request. It throws overloaded and too_many_requests. */
function createListen({ service, deps, definition, names, writer }: Served) {
  const { accessChanges, config, log } = deps;
  const isStillKnown = createIdentityCheck(deps);
  const networkFor = createClientNetwork(deps);
  const frames = createEventFrames({ one: definition.one, many: names.many, writer });
  const heartbeatMs = config.heartbeatSeconds * 1000;
  return ({ actor, request, server }: Connection, lastId: string | undefined): ReadableStream => {
    const peer = server?.requestIP(request)?.address;
    const address = peer === undefined ? null : networkFor(peer, request);
    const onSlow = () => log.info('A slow listener was disconnected.', { address });
    const stream = createEventStream({ onSlow });
    const listener = createListener(stream, frames);
    const leave = service.events.listen({ actor, address, lastId }, listener);
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
function createListener(stream: EventStream, frameOf: EventFrames): RowListener {
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
