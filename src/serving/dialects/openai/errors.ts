/**
 * Reads the errors of servers with OpenAI's API, each engine's variant, and writes failures in OpenAI's shape. An error
 * in that shape passes unchanged; one that cannot be read is quoted.
 */
import { type Blame, RouterError } from '../../../core/errors.ts';
import { responseHeadersForClient } from '../../../core/headers.ts';
import { blameFor, type Failure, ToldFailure } from '../../reply/failure.ts';
import type { ErrorAnswer } from '../ask.ts';
import type { Json } from '../dialect.ts';
import { isObject, parseJson, textOrNull } from '../json.ts';
import { objectionIn } from '../objection.ts';

interface Told {
  readonly message: string;
  readonly type: string | null;
  readonly param: string | null;
  readonly code: string | null;
}

const SHAPE = 'openai';
const QUOTED = 500;

/** An answer with an error status. */
export function refusal(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): ToldFailure {
  return told(status, body, passed(headers));
}

/** The failure in an event or body of status 200; null if it is none. */
export function errorUnder200(value: unknown, json: string): ToldFailure | null {
  return isError(value) ? told(statusNamed(value), Buffer.from(json)) : null;
}

/** As a response of its own. */
export function writeError(failure: Failure): ErrorAnswer {
  const body = errorBody(failure);
  if (failure instanceof RouterError)
    return { status: failure.kind.status, headers: headersOf('application/json; charset=utf-8', body), body };
  return {
    status: failure.status,
    headers: { ...failure.headers, ...headersOf('application/json', body) },
    body,
  };
}

/** As an event of a stream that has begun. */
export function writeLateError(failure: Failure): Buffer {
  return Buffer.from(
    `data: ${errorBody(failure)
      .toString()
      .trim()
      .replace(/[\r\n]+/g, ' ')}\n\n`,
  );
}

function errorBody(failure: Failure): Buffer {
  if (failure instanceof ToldFailure && failure.raw?.shape === SHAPE) return failure.raw.body;
  const { message, param, code } = failure;
  const type = errorType(failure);
  return Buffer.from(`${JSON.stringify({ error: { message, type, param, code } })}\n`);
}

function headersOf(type: string, body: Buffer): Record<string, string> {
  return { 'content-type': type, 'content-length': String(body.length) };
}

/** Headers that pass to clients, without those that describe a body. */
function passed(headers: Readonly<Record<string, string>>): Record<string, string> {
  const allowed = responseHeadersForClient(headers);
  for (const name of ['content-type', 'content-length', 'content-encoding', 'cache-control'])
    delete allowed[name];
  return allowed;
}

function told(status: number, body: Buffer, headers: Readonly<Record<string, string>> = {}): ToldFailure {
  const text = body.toString('utf8');
  const value = parseJson(text);
  const read = readError(value) ?? { message: quote(status, text), type: null, param: null, code: null };
  return new ToldFailure({
    status,
    headers,
    ...read,
    objection: objectionIn({ status, ...read }),
    raw: isOpenAi(value) ? { shape: SHAPE, body } : null,
  });
}

/** Whether a value is an error rather than a part of an answer, in every shape that engines write under status 200. */
function isError(value: unknown): value is Json | unknown[] {
  if (Array.isArray(value)) return isObject(value[0]) && isError(value[0]);
  if (!isObject(value)) return false;
  const { error, errors, object, choices, detail, base_resp } = value;
  if (error !== undefined && error !== null && error !== false && error !== '') return true;
  if (object === 'error') return true;
  if (Array.isArray(choices) && choices.length > 0) return false;
  if (Array.isArray(errors) && errors.length > 0) return true;
  // FastAPI's `detail`, and MiniMax's `base_resp`, whose status is 0 on success.
  if (detail !== undefined || (isObject(base_resp) && Boolean(base_resp.status_code))) return true;
  return isFlatError(value);
}

/** Without choices, a text under a name of texts of errors, and something that says that it is one. */
function isFlatError({ message, msg, code, status, success }: Json): boolean {
  if (typeof message !== 'string' && typeof msg !== 'string') return false;
  const named = typeof code === 'string' ? code : Number(code ?? 0) >= 400;
  return Boolean(named) || status === 'error' || Number(status) >= 400 || success === false;
}

/** The error's own status, else 502. */
function statusNamed(value: Json | unknown[]): number {
  const outer = (Array.isArray(value) ? value[0] : value) as Json;
  const inner = isObject(outer.error) ? outer.error : {};
  const { code, http_status_code, status } = { ...outer, ...inner } as Json;
  const named = [code, http_status_code, status].map(Number).find(isErrorStatus);
  return named ?? 502;
}

function readError(value: unknown): Told | null {
  // Google's cloud puts the object into a list.
  if (Array.isArray(value)) return value.length > 0 ? readError(value[0]) : null;
  if (!isObject(value)) return null;
  const { error, errors, error_type: type, base_resp } = value;
  if (typeof error === 'string') return { message: error, type: textOrNull(type), param: null, code: null };
  if (isObject(error)) return flat(error);
  if ('detail' in value) return detail(value.detail);
  if (Array.isArray(errors) && errors.length > 0) {
    const [first] = errors;
    return typeof first === 'string'
      ? { message: first, type: null, param: null, code: null }
      : readError(first);
  }
  if (isObject(base_resp)) return flat({ message: base_resp.status_msg, code: base_resp.status_code });
  return flat(value);
}

/** Older vLLM, SGLang, trtllm-serve: `{"object": "error", "message", "type", "param", "code"}`. */
function flat({ message: said, msg, type, param, code }: Json): Told | null {
  const message = said ?? msg;
  const own = typeof message === 'object' && message !== null ? JSON.stringify(message) : textOrNull(message);
  if (own === null) return null;
  return {
    message: own,
    type: textOrNull(type),
    param: textOrNull(param),
    code: code == null ? null : String(code),
  };
}

/** FastAPI's: a text, or a list of `{loc, msg}` of invalid fields. */
function detail(value: unknown): Told | null {
  if (typeof value === 'string') return { message: value, type: null, param: null, code: null };
  if (isObject(value)) return flat(value) ?? quoted(value);
  if (!Array.isArray(value)) return null;
  const problems = value.filter(isObject).map(({ loc, msg }) => {
    // The path begins with `body`.
    const at = Array.isArray(loc) ? loc.slice(loc[0] === 'body' ? 1 : 0).join('.') : '';
    return { at, message: at ? `${at}: ${String(msg)}` : String(msg) };
  });
  if (problems.length === 0) return quoted(value);
  const message = problems.map((problem) => problem.message).join('; ');
  return { message, type: null, param: problems[0]!.at || null, code: null };
}

function quoted(value: unknown): Told {
  return { message: JSON.stringify(value).slice(0, QUOTED), type: null, param: null, code: null };
}

/** A page of HTML, plain text, or nothing. */
function quote(status: number, body: string): string {
  const title = /<title>([^<]*)<\/title>/i.exec(body)?.[1];
  const said = /<html|<!doctype/i.test(body) ? (title ?? '') : body;
  const short = said
    .slice(0, 4 * QUOTED)
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, QUOTED);
  return short || `The expert's server answered with status ${status} and no reason.`;
}

const TYPES: Readonly<Record<Blame, string>> = {
  request: 'invalid_request_error',
  key: 'authentication_error',
  load: 'rate_limit_error',
  server: 'api_error',
};

/** The `type` of an error object. */
export function errorType(failure: Failure): string {
  const own = failure instanceof ToldFailure ? failure.type : null;
  return own ?? TYPES[blameFor(failure)];
}

function isOpenAi(value: unknown): boolean {
  return isObject(value) && isObject(value.error) && typeof value.error.message === 'string';
}

function isErrorStatus(value: number): boolean {
  return Number.isInteger(value) && value >= 400 && value < 600;
}
