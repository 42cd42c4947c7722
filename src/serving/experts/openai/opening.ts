/** Whether an answer under status 200 begins with an error, told from as few of its first bytes as possible. */

/** `short`: too few bytes to tell. */
export type Opening = 'error' | 'answer' | 'short';

const MARK = '{"error":';
/** What may stand before the mark in a stream, without white space. */
const FRAMES = ['event:errordata:', 'data:', ''];

/** @param stream whether the body is a stream of events */
export function openingOf(bytes: Uint8Array, stream: boolean): Opening {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 256))
    .toString('latin1')
    .replace(/\s+/g, '');
  let short = false;
  for (const frame of stream ? FRAMES : ['']) {
    const beginning = frame + MARK;
    // What follows tells an error from `"error": null` beside an answer.
    if (text.startsWith(beginning) && text.length > beginning.length)
      return '{"['.includes(text[beginning.length]!) ? 'error' : 'answer';
    if (beginning.startsWith(text)) short = true;
  }
  return short ? 'short' : 'answer';
}
