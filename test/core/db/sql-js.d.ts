/** The part of sql.js that the tests use; it has no types of its own. */
declare module 'sql.js/dist/sql-asm.js' {
  interface Result {
    columns: string[];
    values: (number | string | Uint8Array | null)[][];
  }
  interface Database {
    exec(sql: string): Result[];
    create_function(name: string, body: (value: string) => string): Database;
    close(): void;
  }
  const load: () => Promise<{ Database: new (bytes: Uint8Array) => Database }>;
  export default load;
}
