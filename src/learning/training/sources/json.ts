/** Lenient JSON as found in data sets: one value per line or spread over several, and Python's NaN. */
import { describeError } from '../../../core/errors.ts';

/** Numbers that Python writes but JSON does not allow. Strings are matched too, so that their content is left alone. */
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
 * The values in lines of text: one per line, or pretty-printed with all but the first and last line indented. Anything
 * else is reported to `onBroken`.
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

const UNFINISHED = 'a value that spans several lines is not finished';

function parsed(text: string, onBroken: (why: string) => void): unknown {
  try {
    return jsonValue(text);
  } catch (error) {
    onBroken(describeError(error));
    return undefined;
  }
}
