/** Replaces each {{name}} in a template by its escaped value, and {{first_admin}} by HTML. */
export function fill(template: string, values: Record<string, string>, firstAdmin = ''): string {
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) =>
    name === 'first_admin' ? firstAdmin : Bun.escapeHTML(values[name] ?? ''),
  );
}
