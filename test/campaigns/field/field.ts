import { checksCampaign } from '../checks.ts';
import type { Check } from '../hostile/kit.ts';
import { FIELD_OPERATORS } from './operators.ts';
import { FIELD_OUTSIDE } from './outside.ts';
import { FIELD_SERVER } from './server.ts';
import { FIELD_USERS } from './users.ts';

export const REPORTS: Check[] = [
  ...FIELD_SERVER,
  ...FIELD_USERS,
  ...FIELD_OPERATORS,
  ...FIELD_OUTSIDE,
];

/** Tries what people reported of such systems in public. */
export const field = checksCampaign(
  'reports from the field that earlier versions did not satisfy, one by one.',
  REPORTS,
);
