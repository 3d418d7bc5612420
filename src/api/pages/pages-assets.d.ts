// What has no types of its own is imported as its text.
// Not *.html: that is a bundle to @types/bun, whatever it is imported as.
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
