import {
  createClient,
  HutchError,
  type ItemDocument,
  orThrow,
  pages,
  subscribe,
} from 'hutch-client';

/** Signs up and in, posts, imports and exports items, lists them and hears of the first. */
export async function tour(url: string, print: (line: string) => void): Promise<void> {
  let token: string | undefined;
  const { v1, v2 } = createClient(url, { token: () => token });

  const username = `ada-${crypto.randomUUID().slice(0, 8)}`;
  const password = 'correct horse battery staple';
  const email = `${username}@example.com`;
  const user = orThrow(await v1.users.post({ email, username, password }));
  print(`Signed up as ${user.username}, account ${user.id}.`);

  const session = orThrow(await v1.login['access-token'].post({ username, password }));
  token = session.access_token;
  print(`Signed in with a ${session.token_type} token.`);

  const { items } = v2;
  const item = orThrow(await items.post({ title: 'A warm hutch', tags: ['straw'] }));
  print(`Posted item ${item.id} at ${item.created_at}.`);
  print(`Read back: ${show(orThrow(await items({ item_id: item.id }).get()))}.`);

  const file = new Blob(['title,tags\nHay,food\nOats,food\n'], { type: 'text/csv' });
  const { created } = orThrow(await items.import.post(file));
  print(`Imported ${created} items.`);

  const titles: string[] = [];
  const query = { where: ['owner_id eq me' as const], sort: 'id' as const, limit: 2 };
  for await (const { title = '' } of pages(items, { query })) titles.push(title);
  print(`Own items: ${titles.join(', ')}.`);

  const exported = orThrow(await items.export.get({ query: { format: 'csv' } }));
  print(`Exported ${(await new Response(exported).text()).trim().split('\n').length - 1} items.`);

  for await (const { event, data } of subscribe(items.events, { lastEventId: 0 })) {
    if (event !== 'created' || data.item_id !== item.id) continue;
    print(`Heard that item ${data.item_id} was created.`);
    break;
  }

  const missing = await items({ item_id: 999_999 }).get();
  if (missing.error?.status === 404) print(`Not there: ${missing.error.value.detail}.`);
  await orThrow(items({ item_id: 999_999 }).get()).catch((error: unknown) => {
    if (error instanceof HutchError) print(`Thrown: ${error.message}.`);
  });
}

function show({ title, tags = [] }: Partial<ItemDocument>): string {
  return `${title} (${tags.join(', ')})`;
}
