/** How many code points `text` has: an emoji counts once where `length` says 2. */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** `text` in the composed form of Unicode: an é is one character, however it was typed. */
export function nfc(text: string): string {
  return text.normalize('NFC');
}

/** Returns the form in which texts are compared: NFKC, lower case. */
export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/** A name or an address as it is stored: in NFC, without the blanks around it. */
export function tidy(text: string): string {
  return nfc(text.trim());
}

/** False for text that some store would change or cut: with NUL or half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}

/** `text` with what could end a line, move a terminal's cursor or turn its order as JSON escapes. */
export function oneLine(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu,
    (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
