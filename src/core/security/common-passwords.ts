// The 10,000 most frequent passwords of at least 8 characters, most frequent first, lower case:
// from @zxcvbn-ts/language-common 4.1.3 (passwords.json), MIT licence, (c) 2012-2016 Dan Wheeler
// and Dropbox, Inc., (c) 2021 zxcvbn-ts.

import { fold } from '../../utils/text/text.ts';
import list from './common-passwords.txt' with { type: 'text' };

let common: Set<string> | undefined;

/** Returns true if `password`, in any case, is one of the 10,000 most common. */
export function isCommonPassword(password: string): boolean {
  // Built at first use: it would add a millisecond to every start.
  common ??= new Set(list.trimEnd().split('\n'));
  return common.has(fold(password));
}
