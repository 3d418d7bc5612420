// The 10,000 most frequent passwords of at least 8 characters, most frequent first, lower case:
// from @zxcvbn-ts/language-common 4.1.3 (passwords.json), MIT licence, (c) 2012-2016 Dan Wheeler
// and Dropbox, Inc., (c) 2021 zxcvbn-ts.

import { fold } from '../../utils/text/text.ts';
import list from './common-passwords.txt' with { type: 'text' };

let common: Set<string> | undefined;

/** Whether `password`, whatever its case, is one of the 10,000 that are guessed first. */
export function isCommonPassword(password: string): boolean {
  // Made at the first question: it would cost every start a millisecond.
  common ??= new Set(list.trimEnd().split('\n'));
  return common.has(fold(password));
}
