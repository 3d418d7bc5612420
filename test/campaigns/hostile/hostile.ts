import { checksCampaign } from '../checks.ts';
import { ACCOUNTS } from './accounts.ts';
import { HIGH } from './high.ts';
import type { Check } from './kit.ts';
import { MACHINE } from './machine.ts';
import { MEDIUM } from './medium.ts';

export const ATTACKS: Check[] = [...HIGH, ...MEDIUM, ...ACCOUNTS, ...MACHINE];

/** Tries what attackers and operators' mistakes did to earlier versions. */
export const hostile = checksCampaign(
  'attacks and mishaps that earlier versions did not hold, one by one.',
  ATTACKS,
);
