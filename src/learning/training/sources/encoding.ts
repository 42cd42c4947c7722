/** Detects a file's encoding from its bytes. */
import { TextDecoder } from 'node:util';

const ZERO_SHARE = 0.2;

/** No byte above 0x7f, and no zero byte, which text has only in UTF-16. */
export function isAscii(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte > 0 && byte < 0x80);
}

/**
 * A decoder for a text that begins with these bytes. A byte order mark decides; UTF-16 without one is recognised by its
 * zero bytes; else UTF-8, or Windows-1252 (a superset of ISO 8859-1) if no non-ASCII character is valid UTF-8.
 */
export function decoderFor(bytes: Uint8Array, onNotice: (what: string) => void): TextDecoder {
  const utf16 = utf16Of(bytes);
  if (utf16) return new TextDecoder(utf16);
  const decoded = new TextDecoder('utf-8').decode(bytes, { stream: true });
  if (/[^\0-\x7f\ufffd]/.test(decoded) || !decoded.includes('\ufffd')) return new TextDecoder('utf-8');
  onNotice('it is not UTF-8 and was read as Windows-1252; if that is wrong, convert it to UTF-8 (iconv)');
  return new TextDecoder('windows-1252');
}

function utf16Of(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const zeros = [0, 0];
  for (const [index, byte] of bytes.entries()) if (byte === 0) zeros[index % 2]! += 1;
  const enough = (bytes.length / 2) * ZERO_SHARE;
  if (zeros[1]! > enough && zeros[0]! < zeros[1]! / 4) return 'utf-16le';
  if (zeros[0]! > enough && zeros[1]! < zeros[0]! / 4) return 'utf-16be';
  return undefined;
}
