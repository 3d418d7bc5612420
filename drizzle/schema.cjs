/**
 * The tables that drizzle-kit compares with the migrations: those of src/models and those of the
 * resources in src/resources/index.ts. CommonJS, because the names of ESM exports are fixed.
 */
const { getTableName, is } = require('drizzle-orm');
const { SQLiteTable } = require('drizzle-orm/sqlite-core');
const models = require('../src/models/index.ts');
const { tablesOf } = require('../src/resources/declare/tables.ts');
const resources = require('../src/resources/index.ts');

const tables = [
  ...Object.values(models).filter((it) => is(it, SQLiteTable)),
  ...Object.values(resources).flatMap(({ definition }) => tablesOf(definition)),
];
module.exports = Object.fromEntries(tables.map((table) => [getTableName(table), table]));
