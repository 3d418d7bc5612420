/** Returns the singular of a plural English name: `notes` is `note`, `stories` is `story`. */
export function singular(name: string): string {
  if (/[^aeiou]ies$/.test(name)) return `${name.slice(0, -3)}y`;
  if (/(?:ss|x|zz|ch|sh)es$/.test(name)) return name.slice(0, -2);
  return /[^s]s$/.test(name) ? name.slice(0, -1) : name;
}

/** The type of `singular`. */
export type Singular<Name extends string> = Name extends `${infer Stem}ies`
  ? Stem extends '' | `${string}${'a' | 'e' | 'i' | 'o' | 'u'}`
    ? `${Stem}ie`
    : `${Stem}y`
  : Name extends `${string}${'ss' | 'x' | 'zz' | 'ch' | 'sh'}es` & `${infer Stem}es`
    ? Stem
    : Name extends `${string}ss` | 's'
      ? Name
      : Name extends `${infer Stem}s`
        ? Stem
        : Name;

/** Returns a name in PascalCase: `shopping_list` is `ShoppingList`. */
export function pascal(name: string): string {
  return name.replace(/(?:^|_)([a-z0-9])/g, (_, first: string) => first.toUpperCase());
}
