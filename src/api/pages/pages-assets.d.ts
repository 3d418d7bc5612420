// Files that have no types, imported as text.
// Not *.html, which @types/bun always declares as a bundle.
declare module '*.htm' {
  const text: string;
  export default text;
}

declare module '*.ico' {
  const path: string;
  export default path;
}

declare module '*.css' {
  const text: string;
  export default text;
}

declare module '*.svg' {
  const text: string;
  export default text;
}

declare module '*.js' {
  const text: string;
  export default text;
}
