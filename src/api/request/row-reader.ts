import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { Problem } from '../../core/exceptions.ts';
import type { Definition } from '../../resources/declare/definition.ts';
import { documentSchemas } from '../../schemas/resources/document.ts';
import { problemsOf, registerKinds } from './validation.ts';

export type RowReader = (value: unknown) => Record<string, unknown> | Problem[];

/** Returns a reader that checks a value as the body of a creation; it returns the value or its problems. */
export function createRowReader(definition: Definition): RowReader {
  registerKinds();
  const { New } = documentSchemas(definition);
  const check = TypeCompiler.Compile(New);
  return (value) =>
    check.Check(value) ? (value as Record<string, unknown>) : problemsOf(New, value, []);
}
