import { createClient, type Item } from 'hutch-client';

/** Signs up, signs in, posts an item, reads it back and lists what is popular. */
export async function tour(url: string, print: (line: string) => void): Promise<void> {
  let token: string | undefined;
  const { users, login, items } = createClient(url, { token: () => token }).api.v1;

  const username = `ada-${crypto.randomUUID().slice(0, 8)}`;
  const password = 'correct horse battery staple';
  const user = orThrow(await users.post({ email: `${username}@example.com`, username, password }));
  print(`Signed up as ${user.username}, account ${user.id}.`);

  const session = orThrow(await login['access-token'].post({ username, password }));
  token = session.access_token;
  print(`Signed in with a ${session.token_type} token.`);

  const item = orThrow(await items.post({ title: 'A warm hutch', description: 'Straw included.' }));
  print(`Posted item ${item.id} at ${item.created_at}.`);

  print(`Read back: ${show(orThrow(await items({ item_id: item.id }).get()))}.`);

  const popular = orThrow(await items.popular.get({ query: { limit: 3 } }));
  print(`Popular: ${popular.map(show).join(', ')}.`);

  const missing = await items({ item_id: 0 }).get();
  if (missing.error?.status === 404) print(`Item 0: ${missing.error.value.detail}.`);
}

function show({ title, views }: Item): string {
  return `${title} (views: ${views})`;
}

/** The data of an answer, for those who would rather have an exception than an error. */
function orThrow<T>({ data, error }: { data: T; error: unknown }): NonNullable<T> {
  if (data === null || data === undefined) throw error;
  return data;
}
