import type { Base } from '../../core/base.ts';
import { adminsOnly } from '../admins-only.ts';
import type { Audit } from '../audit/audit.ts';
import { createJobControl } from './control.ts';

export interface JobServicesDeps extends Base {
  audit: Audit;
}

/** The queued jobs, for admins and for commands of the operator. */
export function createJobServices(deps: JobServicesDeps) {
  const jobControl = createJobControl(deps);
  return { jobControl, jobAdmin: adminsOnly(jobControl) };
}
