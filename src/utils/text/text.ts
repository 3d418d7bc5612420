/** Returns the number of code points: an emoji counts once, although its `length` is 2. */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** Returns `text` in composed Unicode form: é is one character, however it was typed. */
export function nfc(text: string): string {
  return text.normalize('NFC');
}

/** Returns the form in which texts are compared: NFKC, lower case. */
export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/** Returns a name or an address as it is stored: in NFC and trimmed. */
export function tidy(text: string): string {
  return nfc(text.trim());
}

/** False for text that some databases would change or truncate: with NUL or a lone surrogate. */
export function isStorable(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}

/** Escapes characters that could end a line, move a terminal's cursor or reverse its text direction. */
export function oneLine(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu,
    (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
