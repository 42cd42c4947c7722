/** Whether an answer under status 200 begins with an error, told from as few of its first bytes as possible. */

/** `short`: too few bytes to tell. */
export type Opening = 'error' | 'answer' | 'short';

const MARK = '{"error":';
/** What may stand before the mark in a stream, without white space. */
const FRAMES = ['event:errordata:', 'data:', ''];

/** White space of JSON and of event streams; some servers send it as a sign of life while they compute. */
const SPACES: readonly number[] = [0x20, 0x09, 0x0a, 0x0d];

/** @param stream whether the body is a stream of events */
export function openingOf(bytes: Uint8Array, stream: boolean): Opening {
  const start = bytes.findIndex((byte) => !SPACES.includes(byte));
  const text = Buffer.from(start < 0 ? [] : bytes.subarray(start, start + 256))
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
