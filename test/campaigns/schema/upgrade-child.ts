import { upgradeDb } from '../../../src/core/db/db.ts';
import { NEW } from './declarations.ts';

/** Upgrades the database of the first argument, in a process that can be killed. */
const [path = ''] = Bun.argv.slice(2);
upgradeDb(path, NEW);
