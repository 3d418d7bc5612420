import { describe, expect, test } from 'bun:test';
import { CSV, FULL, JSONL, lines, withAda } from './transfer-support.ts';

describe('an import', () => {
  test('of JSON Lines creates complete items', async () => {
    await using it = await withAda();
    const report = await it.load(JSONL, `${lines(FULL)}\n  \r\n${JSON.stringify({ title: 'b' })}`);
    expect(report).toEqual({ created: 2, failed: 0, dry_run: false, errors: [] });
    const items = it.ada.client.api.v2.items;
    const first = await items({ item_id: 1 }).get();
    expect(first.data).toMatchObject({ ...FULL, owner_id: it.ada.id, version: 1 });
    const rest = { description: '', url: null, tags: [], data: {}, visibility: 'public' };
    expect((await items({ item_id: 2 }).get()).data).toMatchObject({ title: 'b', ...rest });
  });

  test('of CSV accepts columns in any order, and tags as a list or separated by semicolons', async () => {
    await using it = await withAda();
    const csv =
      '\ufefftags,title,data\r\nwood; straw,a,\r\n"[""x;y""]","b\nc","{""n"":1}"\r\n,d,\r\n';
    expect(await it.load(CSV, csv)).toMatchObject({ created: 3, failed: 0 });
    expect(JSON.parse(`[${(await it.save()).trim().replaceAll('\n', ',')}]`)).toMatchObject([
      { title: 'a', tags: ['wood', 'straw'], data: {} },
      { title: 'b\nc', tags: ['x;y'], data: { n: 1 } },
      { title: 'd', tags: [], url: null },
    ]);
  });

  test('reports each invalid line of JSON Lines and imports the others', async () => {
    await using it = await withAda();
    const bad = lines({ title: '' }, { title: 'a', views: 7 }, [], {
      title: 'b',
      tags: [''],
      url: 'x',
    });
    const report = await it.load(
      'application/jsonl',
      `${lines({ title: 'good' })}${bad}nonsense\n`,
    );
    expect([report.created, report.failed]).toEqual([1, 5]);
    expect(report.errors).toEqual([
      {
        line: 2,
        code: 'string_too_short',
        message: 'title: String should have at least 1 character',
      },
      { line: 3, code: 'extra_forbidden', message: 'views: Extra inputs are not permitted' },
      { line: 4, code: 'value_error', message: 'Expected object' },
      {
        line: 5,
        code: 'url_parsing',
        message:
          'url: Input should be a valid URL; tags.0: String should have at least 1 character',
      },
      { line: 6, code: 'json_invalid', message: 'JSON decode error' },
    ]);
    expect(it.titles()).toEqual(['good']);
  });

  test.each([
    ['{"a":9007199254740993}', 'data.a', 'numbers must lie within'],
    ['{"a":[1e400]}', 'data.a.0', 'numbers must lie within'],
    [String.raw`{"a":"\u0000"}`, 'data.a', 'text must not contain NUL'],
    [String.raw`{"\udc00":1}`, 'data.\ufffd', 'text must not contain NUL'],
    ['{"__proto__":{"a":1}}', 'data.__proto__', 'the key __proto__'],
    // proves: input.json-values
  ])('reports data of %s by its path, in JSON Lines and in CSV', async (data, path, reason) => {
    await using it = await withAda();
    const expected = {
      created: 1,
      errors: [
        {
          line: 2,
          code: 'value_error',
          message: expect.stringContaining(`${path}: Value error, ${reason}`),
        },
      ],
    };
    const good = '{"title":"a"}';
    expect(await it.load(JSONL, `${good}\n{"title":"b","data":${data}}\n`)).toMatchObject(expected);
    const csv = `title,data\nb,"${data.replaceAll('"', '""')}"\na,\n`;
    expect(await it.load(CSV, csv)).toMatchObject(expected);
  });

  // proves: costly-work.bodies
  test('of CSV stops at a row of a hundred thousand cells, and reads the rest of the body', async () => {
    await using it = await withAda();
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        const text = sent === 0 ? `title\na\n${','.repeat(100_000)}\n` : 'b\n'.repeat(10_000);
        controller.enqueue(Buffer.from(text));
        if (++sent === 50) controller.close();
      },
    });
    expect(await it.load(CSV, body)).toMatchObject({
      created: 1,
      errors: [
        { line: 3, code: 'csv_invalid', message: expect.stringContaining('too many cells') },
      ],
    });
    expect(sent).toBe(50);
  });

  test.each([
    [JSONL, '\n'],
    [CSV, '\r\n'],
    [JSONL, '1\n'],
    [CSV, ','],
    // proves: costly-work.imports
  ])('of %s yields to other requests between many %j', async (type, text) => {
    await using it = await withAda();
    let turns = 0;
    const timer = setInterval(() => {
      turns++;
    }, 1);
    const before = performance.now();
    await it.send(type, `title\n${text.repeat(300_000)}`);
    const tookMs = performance.now() - before;
    clearInterval(timer);
    // Each turn takes some 5 ms: without any there would be one or two.
    expect(turns).toBeGreaterThan(Math.min(3, tookMs / 50));
  });

  test.each(['[', '{"data":'])('refuses a line of a million %p', async (opening) => {
    await using it = await withAda();
    const line = opening.repeat(1_000_000 / opening.length);
    expect(await it.load(JSONL, `${line}\n{"title":"a"}\n`)).toMatchObject({
      created: 1,
      errors: [{ line: 1, code: 'json_invalid', message: 'The JSON is nested more than 32 deep' }],
    });
  });

  test('reports each invalid row of CSV and imports the others', async () => {
    await using it = await withAda();
    const rows = ['title,tags,data', 'a,,{', 'b,[1,', 'c,x', ',,', 'good,,', 'd,,[]'];
    const report = await it.load(CSV, `${rows.join('\n')}\n`);
    expect(report.errors.map(({ line, code }) => [line, code])).toEqual([
      [2, 'value_error'],
      [3, 'value_error'],
      [4, 'csv_invalid'],
      [5, 'missing'],
      [7, 'dict_type'],
    ]);
    expect(it.titles()).toEqual(['good']);
  });

  test.each([
    ['a stray quote', 'b"c', 'A quote inside an unquoted cell'],
    ['text after a quote', '"b"c', 'Text after a closing quote'],
    ['an open quote', '"b', 'A quote is not closed'],
  ])('of CSV ends at %s, and reports it', async (_, cell, message) => {
    await using it = await withAda();
    const { created, errors } = await it.load(CSV, `title\na\n${cell}\nd\n`);
    expect([created, errors.length, it.titles()]).toEqual([1, 1, ['a']]);
    expect(errors[0]?.message).toStartWith(message);
    expect(errors[0]?.message).toEndWith('the rest was not read');
  });

  test('refuses unknown columns by name, before it creates anything', async () => {
    await using it = await withAda();
    const answer = await it.send(CSV, 'id,title,colour,title\n1,a,red,b\n');
    expect(answer.status).toBe(422);
    const { errors } = (await answer.json()) as { errors: { path: string; code: string }[] };
    expect(errors.map(({ path, code }) => `${path} ${code}`)).toEqual([
      'body.id extra_forbidden',
      'body.colour extra_forbidden',
      'body.title repeated',
    ]);
    expect((await it.send(CSV, 'tags\na\n')).status).toBe(422);
    expect((await it.send(CSV, '')).status).toBe(422);
    expect(it.titles()).toEqual([]);
  });

  // proves: 5.2.2
  test('refuses invalid UTF-8', async () => {
    await using it = await withAda();
    const latin = Buffer.from('{"title":"h\xe4ttig"}\n{"title":"a"}\n', 'latin1');
    expect(await it.load(JSONL, latin)).toMatchObject({ created: 1, failed: 1 });
    const csv = Buffer.from('title\nh\xe4ttig\nb\n', 'latin1');
    expect((await it.load(CSV, csv)).errors).toEqual([
      { line: 2, code: 'value_error', message: 'title: Invalid UTF-8' },
    ]);
    expect(it.titles()).toEqual(['a', 'b']);
  });

  // proves: costly-work.bodies
  test('accepts lines of up to 1 MiB, and continues after a longer one', async () => {
    await using it = await withAda();
    const long = `{"title":"a","x":"${'x'.repeat(1_048_577)}"}`;
    const report = await it.load(JSONL, `${long}\n${lines({ title: 'b' })}`);
    expect(report).toMatchObject({
      created: 1,
      failed: 1,
      errors: [{ line: 1, code: 'too_long' }],
    });
    const csv = `title,description\na,${'x'.repeat(1_048_577)}\nb,\n`;
    expect((await it.load(CSV, csv)).errors[0]).toMatchObject({ line: 2, code: 'too_long' });
    expect(it.titles()).toEqual(['b', 'b']);
  });

  test('stops at a CSV quote that is never closed', async () => {
    await using it = await withAda();
    const report = await it.load(CSV, `title\na\n"${'x\n'.repeat(2_000_000)}`);
    expect([report.created, report.failed, report.errors[0]?.line]).toEqual([1, 1, 3]);
  });

  test('lists 1,000 invalid lines and counts all', async () => {
    await using it = await withAda();
    const report = await it.load(JSONL, 'x\n'.repeat(1234));
    expect([report.failed, report.errors.length]).toEqual([1234, 1000]);
  });

  test('in a dry run creates nothing and reports the result', async () => {
    await using it = await withAda();
    const report = await it.load(JSONL, `${lines({ title: 'a' })}x\n`, '?dry_run=true');
    expect(report).toMatchObject({ created: 1, failed: 1, dry_run: true });
    expect(it.titles()).toEqual([]);
  });

  // proves: costly-work.imports
  test('lets other writers proceed', async () => {
    await using it = await withAda();
    const big = lines(...Array.from({ length: 2000 }, (_, index) => ({ title: `t${index}` })));
    const running = it.load(JSONL, big);
    await Bun.sleep(1);
    const { data } = await it.ada.client.api.v2.items.post({ title: 'between' });
    expect(data?.id).toBeLessThan(2001);
    expect((await running).created).toBe(2000);
  });

  // proves: input.body-size, files.no-uploaded-file-is-stored-or-served-as, 5.2.1
  test('over the limit is refused at once if its length is known, otherwise while it is read', async () => {
    await using it = await withAda({ maxImportBytes: 20_000 });
    const big = lines(...Array.from({ length: 1000 }, () => ({ title: 'a', description: 'b' })));
    const headers = { 'content-type': JSONL, 'content-length': String(big.length) };
    const init = { body: big, headers, token: it.ada.token };
    expect((await it.t.request('POST', '/api/v2/items/import', init)).status).toBe(413);
    expect(it.titles()).toEqual([]);
    const { body } = new Response(big);
    expect((await it.send(JSONL, body as ReadableStream<Uint8Array>)).status).toBe(413);
    expect(it.titles().length % 200).toBe(0);
  });

  test.each(['application/octet-stream', ''])(
    'of type %p is what format says, or JSON Lines',
    async (type) => {
      await using it = await withAda();
      expect(await it.load(type, lines({ title: 'a' }))).toMatchObject({ created: 1 });
      expect(await it.load(type, lines({ title: 'b' }), '?format=jsonl')).toMatchObject({
        created: 1,
      });
      expect(await it.load(type, 'title\nc\n', '?format=csv')).toMatchObject({ created: 1 });
      expect(it.titles()).toEqual(['a', 'b', 'c']);
    },
  );

  test.each([
    ['JSON', 'application/json', ''],
    ['CSV called JSON Lines', CSV, '?format=jsonl'],
    ['another charset', 'text/csv; charset=latin1', ''],
    // proves: input.body-form, files.no-uploaded-file-is-stored-or-served-as, 5.2.2
  ])('refuses %s with 415', async (_, type, query) => {
    await using it = await withAda();
    expect((await it.send(type, 'title\na\n', query)).status).toBe(415);
  });

  test.each(['?dry_run=1', '?format=xml'])('refuses %s with 422', async (query) => {
    await using it = await withAda();
    expect((await it.send(CSV, 'title\na\n', query)).status).toBe(422);
  });

  test('refuses an unknown parameter by name', async () => {
    await using it = await withAda();
    expect((await it.send(CSV, 'title\na\n', '?dryrun=true')).status).toBe(400);
    expect(it.titles()).toEqual([]);
  });
});
