/** Halves of surrogate pairs, written as escapes in a body of JSON. */

/** A whole pair, a half, or any other escape: taken in this order, so that `\\ud83d` after a backslash is text. */
const ESCAPE =
  /\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|[\s\S])/g;
const HALF_BYTES = '\\ud83d'.length;

/** Each half becomes U+FFFD, as Unicode has it for what cannot be encoded; every other byte stays. */
export function withoutHalfSurrogates(body: Buffer): Buffer {
  if (!body.includes('\\ud') && !body.includes('\\uD')) return body;
  const text = body.toString('latin1');
  const whole = text.replace(ESCAPE, (found) =>
    found.length === HALF_BYTES && /^\\u[dD]/.test(found) ? '\\ufffd' : found,
  );
  return whole === text ? body : Buffer.from(whole, 'latin1');
}
