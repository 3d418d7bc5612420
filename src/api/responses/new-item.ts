import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { Problem } from '../../core/exceptions.ts';
import { ItemNew } from '../../schemas/items/items-v2.ts';
import { problemsOf, registerKinds } from '../request/validation.ts';

type Given = typeof ItemNew.static;

/** A new item with what was left out. */
export function withDefaults(given: Given): Required<Given> {
  const {
    title,
    description = '',
    url = null,
    tags = [],
    data = {},
    visibility = 'public',
  } = given;
  return { title, description, url, tags, data, visibility };
}

/** Gives what makes a new item of any value, by the rules of a request's body, or says why not. */
export function createItemReader(): (value: unknown) => Required<Given> | Problem[] {
  registerKinds();
  const schema = TypeCompiler.Compile(ItemNew);
  return (value) => (schema.Check(value) ? withDefaults(value) : problemsOf(ItemNew, value, []));
}
