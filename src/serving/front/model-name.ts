/**
 * The name that a client asked for, in the answer in place of the one that the expert's server knows. Some clients take an
 * answer of another name for another model's, and drop what only the same model may read again, such as its thinking.
 */
import type { AttemptSink } from '../gateway/attempts.ts';

/** The first name in an answer: within a JSON text the quotes of a key would be escaped, so this can be nothing else. */
const FIRST_NAME = /"model"(\s*:\s*)("(?:[^"\\]|\\.)*")/;
/** Bytes without a name after which an answer is taken to have none. */
const MOST_SEARCHED = 64 * 1024;

/** Passes an answer on with `asked` wherever it names its model as it does first. A whole answer loses its content-length. */
export function renaming(sink: AttemptSink, asked: string): AttemptSink {
  const change = new Renaming(asked);
  let plain = true;
  const rest = (): void => {
    const left = change.rest();
    if (left.length > 0) sink.data(left);
  };
  return {
    served: (by) => sink.served(by),
    waiting: () => sink.waiting(),
    head: (status, headers) => {
      plain = (headers['content-encoding'] ?? 'identity') === 'identity';
      const { 'content-length': _length, ...others } = headers;
      sink.head(status, plain ? others : headers);
    },
    data: (chunk) => {
      if (!plain) return sink.data(chunk);
      const changed = change.push(chunk);
      return changed.length === 0 || sink.data(changed);
    },
    end: (outcome) => {
      rest();
      sink.end(outcome);
    },
    fail: (failure, by) => {
      rest();
      sink.fail(failure, by);
    },
  };
}

/** Over bytes as latin1, in which every byte is a character: names in UTF-8 compare as their bytes. */
class Renaming {
  readonly #asked: string;
  /** What names the model here, key included, and what stands in its place; null until the first name has come. */
  #pattern: string | null = null;
  #replacement = '';
  #searched = 0;
  /** What may be the beginning of a name. */
  #held = '';

  constructor(asked: string) {
    this.#asked = Buffer.from(JSON.stringify(asked)).toString('latin1');
  }

  push(chunk: Uint8Array): Buffer {
    const text = this.#held + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1');
    this.#held = '';
    if (this.#pattern === null && !this.#find(text)) return this.#before(text);
    return Buffer.from(this.#replaced(text), 'latin1');
  }

  rest(): Buffer {
    const held = this.#held;
    this.#held = '';
    return Buffer.from(held, 'latin1');
  }

  #find(text: string): boolean {
    const found = FIRST_NAME.exec(text);
    if (found === null) return false;
    this.#pattern = found[0];
    this.#replacement = `"model"${found[1]}${this.#asked}`;
    return true;
  }

  /** No name yet: all but what may become one. */
  #before(text: string): Buffer {
    this.#searched += text.length;
    const from = this.#searched > MOST_SEARCHED ? -1 : beginningOf(text);
    if (from >= 0) this.#held = text.slice(from);
    return Buffer.from(from < 0 ? text : text.slice(0, from), 'latin1');
  }

  #replaced(text: string): string {
    const pattern = this.#pattern!;
    const whole = text.replaceAll(pattern, () => this.#replacement);
    const tail = tailLike(whole, pattern);
    if (tail === 0) return whole;
    this.#held = whole.slice(-tail);
    return whole.slice(0, -tail);
  }
}

/** Where a first name that is not complete begins; negative for nowhere. */
function beginningOf(text: string): number {
  const key = text.lastIndexOf('"model"');
  if (key >= 0 && /^"model"\s*(?::\s*(?:"(?:[^"\\]|\\.)*\\?)?)?$/.test(text.slice(key))) return key;
  const tail = tailLike(text, '"model"');
  return tail === 0 ? -1 : text.length - tail;
}

/** The length of the longest beginning of the pattern, less than all of it, that the text ends in. */
function tailLike(text: string, pattern: string): number {
  for (let length = Math.min(pattern.length - 1, text.length); length > 0; length--)
    if (text.endsWith(pattern.slice(0, length))) return length;
  return 0;
}
