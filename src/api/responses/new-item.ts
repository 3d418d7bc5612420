import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { Problem } from '../../core/exceptions.ts';
import { ItemNew } from '../../schemas/items/items-v2.ts';
import { problemsOf, registerKinds } from '../request/validation.ts';

type NewItem = typeof ItemNew.static;

/** Returns a new item with defaults for missing fields. */
export function withDefaults(item: NewItem): Required<NewItem> {
  const { title, description = '', url = null, tags = [], data = {}, visibility = 'public' } = item;
  return { title, description, url, tags, data, visibility };
}

/** Returns a reader that converts a value to a new item by the rules of a request, or returns its problems. */
export function createItemReader(): (value: unknown) => Required<NewItem> | Problem[] {
  registerKinds();
  const schema = TypeCompiler.Compile(ItemNew);
  return (value) => (schema.Check(value) ? withDefaults(value) : problemsOf(ItemNew, value, []));
}
