import { checksCampaign } from './checks.ts';
import { ACCOUNTS } from './hostile-accounts.ts';
import { HIGH } from './hostile-high.ts';
import type { Check } from './hostile-kit.ts';
import { MACHINE } from './hostile-machine.ts';
import { MEDIUM } from './hostile-medium.ts';

export const ATTACKS: Check[] = [...HIGH, ...MEDIUM, ...ACCOUNTS, ...MACHINE];

/** Tries what attackers and operators' mistakes did to earlier versions. */
export const hostile = checksCampaign(
  'attacks and mishaps that earlier versions did not hold, one by one.',
  ATTACKS,
);
