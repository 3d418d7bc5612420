import { expect, test } from 'bun:test';
import { testApp } from '../support.ts';

interface Choice {
  enum?: string[];
  $ref?: string;
  items?: Choice;
}
interface Operation {
  parameters?: { name: string; in: string; schema: Choice }[];
}
interface Problem {
  errors: { message: string }[];
}

test('an invalid choice is refused with the valid ones', async () => {
  await using t = await testApp();
  const { token } = await t.signUp('root', 'admin');
  const document = await (await t.request('GET', '/openapi.json')).json();
  const { paths, components } = document as {
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, Choice> };
  };
  const valuesOf = ({ items, $ref, enum: own }: Choice): string[] =>
    items
      ? valuesOf(items)
      : (own ?? components.schemas[$ref?.split('/').at(-1) ?? '']?.enum ?? []);
  const choices = Object.entries(paths).flatMap(([path, { get }]) =>
    (get?.parameters ?? []).flatMap(({ name, in: where, schema }) => {
      const values = where === 'query' ? valuesOf(schema) : [];
      return values.length > 0 ? [{ path, name, values }] : [];
    }),
  );
  expect(choices.length).toBeGreaterThan(10);
  for (const { path, name, values } of choices) {
    const target = `${path.replace(/\{\w+\}/g, '1')}?${encodeURIComponent(name)}=x`;
    const response = await t.request('GET', target, { token });
    const { errors } = (await response.json()) as Problem;
    const message = errors.map((it) => it.message).join(' ');
    // Only searches can be sorted by relevance.
    const missing = values.filter((it) => !message.includes(it) && !it.endsWith('relevance'));
    expect({ target, message, missing }).toEqual({ target, message, missing: [] });
  }
});
