/** Bytes that are sent one after another. Joining megabytes, or copying them to change a name, would hold up the event loop. */

/** In one piece, or in several that follow each other. */
export type Pieces = Buffer | readonly Buffer[];

/** A larger whole is not worth its copy: bytes. */
export const MOST_JOINED = 256 * 1024;

export function lengthOf(pieces: Pieces): number {
  return Buffer.isBuffer(pieces) ? pieces.length : pieces.reduce((sum, { length }) => sum + length, 0);
}

/** One buffer, for those who need one. */
export function joined(pieces: Pieces): Buffer {
  return Buffer.isBuffer(pieces) ? pieces : Buffer.concat(pieces);
}
