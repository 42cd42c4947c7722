/** JSON as data sets have it: one value a line or over several, and Python's NaN. */
import { describeError } from '../../../core/errors.ts';

/** Numbers that JSON does not have but Python writes; strings are matched, too, so that nothing in them is. */
const STRING_OR_NAN = /("(?:[^"\\]|\\.)*")|-?\b(?:NaN|Infinity)\b/g;

/** The value of a JSON text; NaN and Infinity become null. */
export function jsonValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!/NaN|Infinity/.test(text)) throw error;
    return JSON.parse(text.replace(STRING_OR_NAN, (_, string: string | undefined) => string ?? 'null'));
  }
}

/**
 * The values in lines of text: one on each, or pretty-printed over several, all but whose first and last are indented.
 * `onBroken` is told of what is neither.
 */
export async function* jsonValuesIn(
  lines: AsyncIterable<string>,
  onBroken: (why: string) => void,
): AsyncGenerator<unknown> {
  let open = '';
  for await (const line of lines) {
    const goesOn = open !== '' && /^[\s}\]]/.test(line);
    if (open !== '' && !goesOn) {
      onBroken(UNFINISHED);
      open = '';
    }
    open += `${line}\n`;
    const isWhole = goesOn ? /^[}\]]/.test(line) : !/^\s*[{[]\s*$/.test(line);
    if (!isWhole) continue;
    const value = parsed(open, onBroken);
    open = '';
    if (value !== undefined) yield value;
  }
  if (open !== '') onBroken(UNFINISHED);
}

const UNFINISHED = 'a value that begins on a line of its own is not finished';

function parsed(text: string, onBroken: (why: string) => void): unknown {
  try {
    return jsonValue(text);
  } catch (error) {
    onBroken(describeError(error));
    return undefined;
  }
}
