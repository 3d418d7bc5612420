import type { Deps } from '../../../core/deps.ts';
import { NoContent } from '../../../schemas/common.ts';
import { JobDetails, JobId, Jobs, JobsQuery } from '../../../schemas/jobs/jobs.ts';
import { accountRoutes, adminRoute } from '../../plugins/access-rules.ts';
import { ADMIN, v2Errors, v2WriteErrors } from '../responses.ts';

const CHANGE_ERRORS = v2WriteErrors(...ADMIN, 'not_found', 'conflict', 'validation_failed');

/** The queued jobs, for admins. */
export const createJobRoutes = ({ jobAdmin: service }: Pick<Deps, 'jobAdmin'>) =>
  accountRoutes({ prefix: '/jobs', tags: ['jobs'] })
    .get('', ({ actor, query }) => service.list(actor, query), {
      query: JobsQuery,
      response: { 200: Jobs, ...v2Errors(...ADMIN, 'invalid_cursor', 'validation_failed') },
      detail: adminRoute('listJobs', 'List the jobs that wait, run or have failed, newest first'),
    })
    .get('/:job_id', ({ actor, params }) => service.get(actor, params.job_id), {
      params: JobId,
      response: { 200: JobDetails, ...v2Errors(...ADMIN, 'not_found', 'validation_failed') },
      detail: adminRoute('getJob', 'Read a job'),
    })
    .post('/:job_id/retry', ({ actor, params }) => service.retry(actor, params.job_id), {
      params: JobId,
      response: { 200: JobDetails, ...CHANGE_ERRORS },
      detail: adminRoute('retryJob', 'Run a dead letter again'),
    })
    .delete(
      '/:job_id',
      async ({ actor, params, set }) => {
        await service.remove(actor, params.job_id);
        set.status = 204;
      },
      {
        params: JobId,
        response: { 204: NoContent, ...CHANGE_ERRORS },
        detail: adminRoute('deleteJob', 'Delete a job that is not running'),
      },
    );
