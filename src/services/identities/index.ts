import type { Base } from '../../core/base.ts';
import type { Users } from '../accounts/users.ts';
import type { Audit } from '../audit/audit.ts';
import type { AuthServices } from '../auth/index.ts';
import type { MailServices } from '../mail/index.ts';
import type { Quotas } from '../quotas.ts';
import { createIdentities } from './identities.ts';
import { createIdentityProviders } from './providers.ts';

export interface IdentityServicesDeps extends Base, MailServices, Omit<AuthServices, 'jobs'> {
  audit: Audit;
  users: Users;
  quotas: Quotas;
}

/** Sign-in through other providers. */
export function createIdentityServices(deps: IdentityServicesDeps) {
  const providers = createIdentityProviders(deps);
  const isRegistrationOpen = deps.config.registration === 'open';
  return { identities: createIdentities({ ...deps, providers, isRegistrationOpen }) };
}
