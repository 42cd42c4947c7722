/** Lone surrogates in JSON, written as escapes. */

const BACKSLASH = 0x5c;
const U = 0x75;
const REPLACEMENT = Buffer.from('\\ufffd');
const ESCAPE_BYTES = REPLACEMENT.length;

/** Replaces lone surrogates by U+FFFD; no other byte changes or moves. */
export function withoutHalfSurrogates(body: Buffer): Buffer {
  let at = body.indexOf(BACKSLASH);
  if (at < 0) return body;
  let cleaned: Buffer | null = null;
  while (at < body.length) {
    if (body[at] !== BACKSLASH) at += 1;
    else if (body[at + 1] !== U) at += 2;
    else if (isHigh(body, at) && isLow(body, at + ESCAPE_BYTES)) at += 2 * ESCAPE_BYTES;
    else {
      if (isHigh(body, at) || isLow(body, at)) {
        cleaned ??= Buffer.from(body);
        // Written byte by byte: calls would dominate the cost when there are millions.
        for (let i = 0; i < ESCAPE_BYTES; i += 1) cleaned[at + i] = REPLACEMENT[i]!;
      }
      at += ESCAPE_BYTES;
    }
  }
  return cleaned ?? body;
}

/** `\ud8..` to `\udb..` */
function isHigh(body: Buffer, at: number): boolean {
  return isEscapeOfD(body, at) && hex(body[at + 3]!) >= 0x8 && hex(body[at + 3]!) <= 0xb;
}

/** `\udc..` to `\udf..` */
function isLow(body: Buffer, at: number): boolean {
  return isEscapeOfD(body, at) && hex(body[at + 3]!) >= 0xc;
}

function isEscapeOfD(body: Buffer, at: number): boolean {
  return (
    at + ESCAPE_BYTES <= body.length &&
    body[at] === BACKSLASH &&
    body[at + 1] === U &&
    hex(body[at + 2]!) === 0xd
  );
}

/** The value of a hexadecimal digit; valid JSON has no other byte here. */
function hex(digit: number): number {
  return digit <= 0x39 ? digit - 0x30 : (digit | 0x20) - 0x57;
}
