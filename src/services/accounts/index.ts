import type { Base } from '../../core/base.ts';
import type { Audit } from '../audit/audit.ts';
import type { AuthServices } from '../auth/index.ts';
import type { MailServices } from '../mail/index.ts';
import type { Quotas } from '../quotas.ts';
import type { Resources } from '../resources/index.ts';
import { createAdminUsers } from './admin.ts';
import { createAccountExport } from './export.ts';
import { createUsersImport } from './import.ts';
import { createOperator } from './operator.ts';
import { createOwnAccount } from './own.ts';
import { weaknessOf } from './password.ts';
import { createAccountRemoval } from './removal.ts';
import { createAccountUsage, createAdminUsage, createUsageCheck } from './usage.ts';
import type { Users } from './users.ts';

export interface AccountServicesDeps extends Base, MailServices, Omit<AuthServices, 'jobs'> {
  audit: Audit;
  users: Users;
  quotas: Quotas;
  resources: Resources;
}

/** Operations on accounts by their owners, by admins and on the command line. */
export function createAccountServices(deps: AccountServicesDeps) {
  const removal = createAccountRemoval(deps);
  return {
    account: createOwnAccount({ ...deps, removal }),
    accountExport: createAccountExport(deps),
    accountUsage: createAccountUsage(deps),
    adminUsers: createAdminUsers({ ...deps, removal }),
    adminUsage: createAdminUsage(deps),
    operator: createOperator(deps),
    usageCheck: createUsageCheck(deps),
    usersImport: createUsersImport(deps),
    weaknessOf,
    jobs: [removal.job],
  };
}
