/** Dialects that count the tokens of a request instead of answering it: what they share. */

import { ToldFailure } from '../reply/failure.ts';
import { UNKNOWN_OUTCOME } from '../reply/reply.ts';
import type { Ending, Opening, Scanner } from '../reply/scanner.ts';
import type { AnswerForm, Ask } from './ask.ts';
import type { Dialect, Json } from './dialect.ts';
import { isObject, parseJson, textOrNull } from './json.ts';

export interface CountingAnswer {
  /** The body of an answer, for experts that count themselves. */
  countAnswer(tokens: number): Buffer;
}

export interface CountingDialect<Id extends string = string> extends Dialect<Id>, CountingAnswer {}

export function isCounting(dialect: AnswerForm): dialect is AnswerForm & CountingAnswer {
  return 'countAnswer' in dialect;
}

export function countAnswer(fields: Json): Buffer {
  return Buffer.from(JSON.stringify(fields));
}

/** Longer bodies are no counts. */
const MOST_BYTES = 64 * 1024;

export function countScanner(): Scanner {
  const held: Buffer[] = [];
  let bytes = 0;
  return {
    done: false,
    push: (piece): Opening => {
      bytes += piece.length;
      if (bytes <= MOST_BYTES) held.push(piece);
      return 'silence';
    },
    end: (): Ending => {
      const value = bytes <= MOST_BYTES ? parseJson(Buffer.concat(held).toString('utf8')) : undefined;
      if (!isObject(value)) return { missing: 'it is not a count' };
      if (typeof value.input_tokens === 'number') return UNKNOWN_OUTCOME;
      const error = isObject(value.error) ? value.error : null;
      if (error === null) return { missing: 'it has no count' };
      const message = textOrNull(error.message) ?? 'The expert told of an error.';
      return new ToldFailure({ status: 502, message, type: null, param: null, code: null });
    },
  };
}

/** Every text of a request, in order, for experts that count tokens of text. @throws RouterError naming an invalid field */
export function textsOf(ask: Ask): readonly string[] {
  const prompt = ask.prompt();
  if (prompt.kind === 'text') return [prompt.text];
  return prompt.messages.flatMap(({ parts }) =>
    parts.flatMap((part) => {
      if (part.type === 'text' || part.type === 'thinking') return [part.text];
      if (part.type === 'tool call') return [part.arguments ?? ''];
      if (part.type !== 'tool result') return [];
      return part.parts.flatMap((inner) => (inner.type === 'text' ? [inner.text] : []));
    }),
  );
}
