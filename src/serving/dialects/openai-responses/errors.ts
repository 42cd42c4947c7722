/** Errors inside an answer of the Responses API; those with a status of their own have OpenAI's usual shape. */
import { type Failure, ToldFailure } from '../../reply/failure.ts';
import type { Json } from '../dialect.ts';
import { isObject, textOrNull } from '../json.ts';
import { objectionIn } from '../objection.ts';

/** Statuses that stand for the codes of `response.failed`; 500 for any other. */
const STATUS: Readonly<Record<string, number>> = {
  rate_limit_exceeded: 429,
  server_error: 500,
  server_is_overloaded: 503,
  context_length_exceeded: 400,
  invalid_prompt: 400,
};

/** No event of a stream has a higher number: that of an error is not known where the error is told. */
const LAST = 2 ** 31 - 1;

/** The failure in an `error` event, or in the `error` of a response that failed. */
export function failureInStream(value: unknown): ToldFailure {
  const outer = isObject(value) ? value : {};
  const error = isObject(outer.error) ? outer.error : outer;
  const message = textOrNull(error.message) ?? 'The expert told of an error.';
  const code = textOrNull(error.code);
  const status = STATUS[code ?? ''] ?? 500;
  return new ToldFailure({
    status,
    message,
    type: null,
    param: textOrNull(error.param),
    code,
    objection: objectionIn({ status, message, type: null, code }),
  });
}

export function writeLateError({ code, message, param }: Failure): Buffer {
  const event: Json = { type: 'error', code: code ?? 'server_error', message, param, sequence_number: LAST };
  return Buffer.from(`event: error\ndata: ${JSON.stringify(event)}\n\n`);
}
