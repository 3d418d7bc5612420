import type { Row } from './rows.ts';

const params = { job_id: 1 };

/** The rows of jobs: for admins alone. The first job is a dead letter. */
export const JOB_ROWS: Record<string, () => Row> = {
  listJobs: () => ({ access: 'admin', other: 403, admin: 200 }),
  getJob: () => ({ access: 'admin', other: 403, admin: 200, params }),
  retryJob: () => ({ access: 'admin', other: 403, admin: 200, params }),
  deleteJob: () => ({ access: 'admin', other: 403, admin: 204, params }),
};
