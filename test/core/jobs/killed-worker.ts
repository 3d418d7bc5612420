/**
 * A process that runs the jobs of a database until none is left; a test kills it. Each run appends the
 * number of its job to a file and then takes a moment. Arguments: the database, the file, and how many
 * jobs to queue first.
 */
import { appendFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { openDb, prepareDb } from '../../../src/core/db/db.ts';
import { createJobs } from '../../../src/core/jobs/index.ts';
import { createJobQueue } from '../../../src/core/jobs/queue.ts';
import { createLog } from '../../../src/core/log.ts';
import { createSecretBox } from '../../../src/core/security/secret-box.ts';

const [path = '', file = '', count = '0'] = Bun.argv.slice(2);
const now = () => new Date();
const log = createLog({ level: 'error', format: 'json', write: console.error, now });
prepareDb(path);
const db = openDb(path, { log });
const box = createSecretBox({ key: '', oldKey: '', dataDir: dirname(path) });
const queue = createJobQueue({ box, now });
const jobs = createJobs({ db, log, queue, now, recurring: [] });
const enqueue = queue.define<number>({
  name: 'append',
  // A kill ends an attempt, and some jobs are killed often.
  maxAttempts: 1_000,
  run: async (number) => {
    appendFileSync(file, `${number}\n`);
    await Bun.sleep(Math.random() * 4);
  },
});
await db.write(async (tx) => {
  for (let number = 0; number < Number(count); number++) await enqueue(tx, number);
});
console.log('queued');
jobs.start({ isAlone: true });
while (db.client.query('select 1 from jobs').get()) await Bun.sleep(5);
await jobs.stop();
await db.close();
