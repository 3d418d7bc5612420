/** The types of the module 'hutch'. build.ts puts them here; in a clone they are made when needed. */
export const EMBEDDED: string = '';
