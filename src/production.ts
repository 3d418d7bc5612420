/**
 * Enables production mode. Elysia reads NODE_ENV once, when it is imported. In development mode it
 * writes each refused value into an error message, which takes time and memory that grow with the
 * square of the value's depth. A `define` of the build has no effect on that read.
 */
process.env.NODE_ENV = 'production';
