/**
 * Errors of the Messages API → OpenAI's error object and a status, whether they come as a response or as an event
 * within a stream that had begun with 200. Types and statuses are those of the API's documentation.
 */
import { responseHeadersForClient } from '../../../core/headers.ts';
import type { ResponseHead } from '../../../http/response-parser.ts';
import type { WireErrorBody } from '../reply.ts';
import { isObject } from './turns.ts';

export interface Failure {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: WireErrorBody;
}

/** Status of an error that comes as an event, where there is none to read. */
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

/** @param body of a response with an error status: the API's JSON, or whatever a proxy in between wrote */
export function failureOf({ status, headers }: ResponseHead, body: string): Failure {
  const { type, message } = readError(parse(body));
  const told =
    message ?? (body.trim().slice(0, 300) || `The expert's server answered with status ${status}.`);
  const passed = responseHeadersForClient(headers);
  for (const name of ['content-type', 'content-length', 'content-encoding', 'cache-control'])
    delete passed[name];
  const id = headers['request-id'];
  return {
    status,
    headers: id === undefined ? passed : { ...passed, 'x-request-id': id },
    body: wireError(status, type, told),
  };
}

/** @param event the data of an `error` event, parsed */
export function failureInStream(event: unknown): Failure {
  const { type, message } = readError(event);
  const status = STATUS[type ?? ''] ?? 500;
  return { status, headers: {}, body: wireError(status, type, message ?? 'The expert told of an error.') };
}

function readError(value: unknown): { type: string | null; message: string | null } {
  const error = isObject(value) && isObject(value.error) ? value.error : {};
  return {
    type: typeof error.type === 'string' ? error.type : null,
    message: typeof error.message === 'string' ? error.message : null,
  };
}

function wireError(status: number, type: string | null, message: string): WireErrorBody {
  const code = /prompt is too long|context window/i.test(message) ? 'context_length_exceeded' : type;
  return { error: { message, type: openAiType(status), param: null, code } };
}

function openAiType(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'api_error';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
