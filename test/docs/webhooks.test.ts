import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { tempDir } from '../support.ts';
import { type ReceivedEvent, receiver, webhooksApp } from '../webhooks.ts';

type Verify = (request: Request, secret: string) => Promise<ReceivedEvent>;

/** The code for receivers, as docs/webhooks.md prints it. */
async function printedCode(): Promise<Verify> {
  const page = await Bun.file(join(import.meta.dir, '../../docs/webhooks.md')).text();
  const blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);
  expect(blocks).toHaveLength(1);
  const path = join(tempDir(), 'receiver.ts');
  await Bun.write(path, blocks.join(''));
  return ((await import(path)) as { verifiedEvent: Verify }).verifiedEvent;
}

describe('the code for receivers in docs/webhooks.md', () => {
  test('accepts what Hutch sends, with each secret that is valid, and nothing else', async () => {
    const verifiedEvent = await printedCode();
    await using hooks = receiver();
    await using t = await webhooksApp([hooks.host]);
    const { id, secret: old } = await t.create({ url: hooks.url });
    const other = await t.create({ url: 'https://hooks.example.com/', events: ['users.*'] });
    const rotated = await t.api('POST', `/${id}/rotate-secret`, {});
    const { secret } = (await rotated.json()) as { secret: string };
    const item = await t.item({ title: 'Hay' });
    await t.send();
    const [sent] = hooks.asked;
    const requestWith = (changes: Record<string, string>, body = sent?.body) => {
      const headers = new Headers({ ...(sent?.headers.toJSON() as object), ...changes });
      return new Request('http://localhost/', { method: 'POST', headers, body: String(body) });
    };
    for (const valid of [old, secret]) {
      expect(await verifiedEvent(requestWith({}), valid)).toMatchObject({
        type: 'items.created',
        data: { id: item, title: 'Hay' },
      });
    }
    const now = Math.floor(Date.now() / 1000);
    const wrong: [Request, string][] = [
      [requestWith({}), other.secret],
      [requestWith({}, `${sent?.body} `), secret],
      [requestWith({ 'webhook-id': 'evt_1' }), secret],
      [requestWith({ 'webhook-timestamp': String(now - 200) }), secret],
      [requestWith({ 'webhook-timestamp': String(now - 400) }), secret],
      [requestWith({ 'webhook-timestamp': 'soon' }), secret],
      [requestWith({ 'webhook-signature': '' }), secret],
    ];
    for (const [request, key] of wrong) await expect(verifiedEvent(request, key)).rejects.toThrow();
  });
});
