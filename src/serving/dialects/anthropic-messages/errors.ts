/**
 * Errors of the Messages API, as a response or as an event of a stream that began with status 200: read from servers,
 * written for clients. Types and statuses are those of the API's documentation.
 */
import { RouterError } from '../../../core/errors.ts';
import { responseHeadersForClient } from '../../../core/headers.ts';
import { type Failure, isTooLong, ToldFailure } from '../../reply/failure.ts';
import type { ErrorAnswer } from '../ask.ts';
import { isObject, parseJson, textOrNull } from '../json.ts';
import { objectionIn } from '../objection.ts';

const SHAPE = 'anthropic-messages';
const QUOTED = 300;

/** The status that stands for an error's type in an event, which has no status of its own. */
const STATUS: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  conflict_error: 409,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};

const TYPES: Readonly<Record<number, string>> = {
  ...Object.fromEntries(Object.entries(STATUS).map(([type, status]) => [status, type])),
  408: 'timeout_error',
};

/** How the API says that a prompt does not fit: clients that then shorten a conversation look for these words. */
const TOO_LONG = 'prompt is too long';

/** @param body of a response with an error status: the API's JSON, or whatever a proxy in between wrote */
export function refusal(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): ToldFailure {
  const text = body.toString('utf8');
  const value = parseJson(text);
  const passed = responseHeadersForClient(headers);
  for (const name of ['content-type', 'content-length', 'content-encoding', 'cache-control'])
    delete passed[name];
  const id = headers['request-id'];
  const quoted = text.trim().slice(0, QUOTED);
  const failure = told(status, value, quoted || `The expert's server answered with status ${status}.`);
  return new ToldFailure({
    ...failure,
    message: failure.message,
    headers: id === undefined ? passed : { ...passed, 'x-request-id': id },
    raw: isObject(value) && isObject(value.error) ? { shape: SHAPE, body } : null,
  });
}

/** @param event the data of an `error` event, parsed */
export function failureInStream(event: unknown): ToldFailure {
  const error = isObject(event) && isObject(event.error) ? event.error : {};
  return told(STATUS[textOrNull(error.type) ?? ''] ?? 500, event, 'The expert told of an error.');
}

/** @param requestId for an error to which no server gave one */
export function writeError(failure: Failure, requestId?: string): ErrorAnswer {
  const headers = failure instanceof ToldFailure ? failure.headers : {};
  const id = headers['x-request-id'] ?? (requestId === undefined ? null : `req_${requestId}`);
  const body = errorBody(failure, id);
  return {
    status: statusOf(failure),
    headers: {
      ...headers,
      'content-type': 'application/json',
      'content-length': String(body.length),
      ...(id === null ? {} : { 'request-id': id }),
    },
    body,
  };
}

/** As an event of a stream that has begun. */
export function writeLateError(failure: Failure): Buffer {
  const id = failure instanceof ToldFailure ? (failure.headers['x-request-id'] ?? null) : null;
  const data = errorBody(failure, id)
    .toString()
    .trim()
    .replace(/[\r\n]+/g, ' ');
  return Buffer.from(`event: error\ndata: ${data}\n\n`);
}

function errorBody(failure: Failure, id: string | null): Buffer {
  if (failure instanceof ToldFailure && failure.raw?.shape === SHAPE) return failure.raw.body;
  const error = { type: typeOf(failure), message: messageOf(failure) };
  return Buffer.from(`${JSON.stringify({ type: 'error', error, request_id: id })}\n`);
}

function messageOf(failure: Failure): string {
  const { message } = failure;
  return isTooLong(failure) && !message.toLowerCase().includes(TOO_LONG)
    ? `${TOO_LONG}: ${message}`
    : message;
}

/** What others say by 503 this API says by 529. */
function statusOf(failure: Failure): number {
  const status = failure instanceof RouterError ? failure.kind.status : failure.status;
  return status === 503 ? 529 : status;
}

function typeOf(failure: Failure): string {
  const status = statusOf(failure);
  return TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
}

function told(status: number, value: unknown, otherwise: string): ToldFailure {
  const error = isObject(value) && isObject(value.error) ? value.error : {};
  const message = textOrNull(error.message) ?? otherwise;
  const tooLong = /prompt is too long|context window/i.test(message);
  const code = tooLong ? 'context_length_exceeded' : textOrNull(error.type);
  // What this API calls a type is a code in OpenAI's errors.
  const objection = objectionIn({ status, message, type: null, code });
  return new ToldFailure({ status, message, type: null, param: null, code, objection });
}
