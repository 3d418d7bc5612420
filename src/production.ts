/**
 * Makes production mode a fact of the program. Elysia reads NODE_ENV once, when it is imported, and
 * in development mode writes each refused value into an error message, in time and memory that grow
 * with the square of its depth. A `define` of the build does not reach that read.
 */
process.env.NODE_ENV = 'production';
