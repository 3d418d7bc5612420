export { type Job, MAX_RUN_MS, runSteps } from '../core/jobs/recurring.ts';
