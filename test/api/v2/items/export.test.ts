import { describe, expect, test } from 'bun:test';
import { CSV, FULL, JSONL, lines, ODD, withAda } from './transfer-support.ts';

describe('an export', () => {
  // proves: files.no-uploaded-file-is-stored-or-served-as, 5.4.1
  test('returns a file of the requested type', async () => {
    await using it = await withAda();
    const forms = { jsonl: JSONL, csv: CSV };
    for (const [format, type] of Object.entries(forms)) {
      const path = `/api/v2/items/export?format=${format}`;
      const { headers } = await it.t.request('GET', path, { token: it.ada.token });
      expect(headers.get('content-type')).toBe(type);
      expect(headers.get('content-disposition')).toBe(`attachment; filename="items.${format}"`);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  test('of own items includes private ones and none of others; of listed items all public ones', async () => {
    await using it = await withAda();
    const bob = await it.t.signUp('bob');
    for (const client of [it.ada.client, bob.client]) {
      const own = client === bob.client ? 'bob' : 'ada';
      await client.api.v2.items.post({ title: `${own} public` });
      await client.api.v2.items.post({ title: `${own} private`, visibility: 'private' });
      const { data } = await client.api.v2.items.post({ title: `${own} gone` });
      await client.api.v2.items({ item_id: data?.id as number }).delete();
    }
    const titlesOf = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).title);
    expect(titlesOf(await it.save())).toEqual(['ada public', 'ada private']);
    expect(titlesOf(await it.save('?scope=listed'))).toEqual(['ada public', 'bob public']);
  });

  test('contains every item of many pages once, by id', async () => {
    await using it = await withAda();
    const all = Array.from({ length: 450 }, (_, index) => ({ title: `t${index}` }));
    await it.load(JSONL, lines(...all));
    const titles = (await it.save())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).title);
    expect(titles).toEqual(all.map(({ title }) => title));
  });

  test.each(['jsonl', 'csv'])('as %s can be imported as equal items', async (format) => {
    await using it = await withAda();
    const bob = await it.t.signUp('bob');
    expect(await it.load(JSONL, lines(FULL, ...ODD))).toMatchObject({ created: 7, failed: 0 });
    const text = await it.save(`?format=${format}`);
    const type = format === 'csv' ? CSV : JSONL;
    const answer = await it.send(type, text, '', bob.token);
    expect(await answer.json()).toMatchObject({ created: 7, failed: 0 });
    expect(await it.save(`?format=${format}`, bob.token)).toBe(text);
    expect(await it.save('', bob.token)).toBe(await it.save());
  });

  // proves: files.no-uploaded-file-is-stored-or-served-as
  test('as CSV contains no cell that a spreadsheet would run', async () => {
    await using it = await withAda();
    await it.load(JSONL, lines(...ODD));
    const text = await it.save('?format=csv');
    expect(text).toContain(`'=1+1,''=1+1,,'=a;b,,public`);
    expect(text).not.toMatch(/(^|[,\n]"?)[=+\-@＝]/);
  });

  test('without items is empty, or only the column names', async () => {
    await using it = await withAda();
    expect(await it.save()).toBe('');
    expect(await it.save('?format=csv')).toBe('title,description,url,tags,data,visibility\r\n');
  });
});
