/** Text for a terminal that obeys what it is sent. */

/**
 * Foreign text with its control characters made visible: an escape sequence of a server or client could otherwise hide
 * lines, set the title or write into the keyboard's buffer. Line breaks and tabs stay.
 */
export function printable(text: string): string {
  return text.replace(
    /(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
