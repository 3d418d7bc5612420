import { readEvents } from '../../../events.ts';
import { type TestApp, type TestAppOptions, testApp } from '../../../support.ts';

export const PATH = '/api/v2/items/events';

export async function withAda(options: TestAppOptions = {}) {
  const t = await testApp(options);
  const ada = await t.signUp('ada');
  return { t, ada, items: ada.client.api.v2.items, [Symbol.asyncDispose]: t[Symbol.asyncDispose] };
}

/** Starts a listener and waits until it receives events. */
export async function listen(t: TestApp, token?: string, lastId?: string) {
  const headers = lastId === undefined ? {} : { 'last-event-id': lastId };
  const answer = await t.request('GET', PATH, { ...(token && { token }), headers });
  const events = readEvents(answer);
  return { answer, ...events, opening: await events.block() };
}

/** An event in short. */
export const short = ({ id, event, data }: { id?: string; event?: string; data?: object } = {}) => {
  const { item, item_id, version } = (data ?? {}) as Record<string, unknown>;
  const title = (item as { title: string } | null)?.title ?? null;
  return [Number(id), event, item_id, version, title];
};
