/** The size of each list of findings: attacks (H, M, L) and reports from the field (F). */
const LISTS = { H: 4, M: 9, L: 19, F: 39 };

/** Numbers that name no finding, with the reason. */
export const NOT_FINDINGS: Readonly<Record<string, string>> = {
  F9: 'The number was not given: F8 mentions it for the rest of its own case.',
  F17: 'The number was not given.',
  F20: 'The number was not given.',
  F25: 'The number was not given.',
  F30: 'The number was not given.',
  F33: 'The number was not given.',
  F34: 'The number was not given.',
};

/** Every number of these lists that names a finding. */
export function findingsOf(...lists: (keyof typeof LISTS)[]): string[] {
  return lists
    .flatMap((list) => Array.from({ length: LISTS[list] }, (_, index) => `${list}${index + 1}`))
    .filter((finding) => !(finding in NOT_FINDINGS));
}
