/** The part of a route's context that holds the headers of its response. */
export interface ResponseSet {
  headers: Record<string, string | number>;
}

/** Adds request headers on which the response depends to its Vary. */
export function addVary({ headers }: ResponseSet, names: string): void {
  headers['vary'] = headers['vary'] === undefined ? names : `${headers['vary']}, ${names}`;
}
