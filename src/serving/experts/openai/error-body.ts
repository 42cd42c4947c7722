/**
 * The errors of servers that speak OpenAI's API, in whatever form they write them → OpenAI's error object. What is in
 * that form already stays as it is; what cannot be read is quoted, never replaced by a guess.
 */

interface Told {
  readonly message: string;
  readonly type: string | null;
  readonly param: string | null;
  readonly code: string | null;
}

type Json = Readonly<Record<string, unknown>>;

const QUOTED = 500;

/** The body to send on: the same bytes where they hold OpenAI's error object, else one made of what they say. */
export function openAiErrorBody(status: number, body: Buffer): Buffer {
  const text = body.toString('utf8');
  const value = parse(text);
  if (isOpenAi(value)) return body;
  const told = read(value) ?? { message: quote(status, text), type: null, param: null, code: null };
  return Buffer.from(JSON.stringify({ error: { ...told, type: told.type ?? typeOf(status) } }));
}

/**
 * An error that came under status 200: as the first event of a stream, or as a whole body.
 * @returns its own status where it names one, else 502: the server failed behind a status that says otherwise
 */
export function errorUnder200(body: Buffer): { readonly status: number; readonly body: Buffer } {
  const text = body.toString('utf8');
  const data = /^data:[ ]?(.*)$/m.exec(text)?.[1] ?? text;
  const { error } = (isObject(parse(data)) ? parse(data) : {}) as Json;
  const { code, http_status_code, status } = (isObject(error) ? error : {}) as Json;
  const named = [code, http_status_code, status].find((one) => isErrorStatus(one)) as number | undefined;
  return { status: named ?? 502, body: openAiErrorBody(named ?? 502, Buffer.from(data)) };
}

/** What the last event of a stream tells as an error; null where it is none. */
export function errorInLastEvent(tail: string): string | null {
  const last = [...tail.matchAll(/^(?:data:[ ]?)?(\{.*)$/gm)].at(-1)?.[1];
  const value = last === undefined ? null : parse(last);
  if (!isObject(value) || !value.error) return null;
  return isOpenAi(value) ? value.error.message : (read(value)?.message ?? null);
}

function read(value: unknown): Told | null {
  // Google's cloud puts the object into a list.
  if (Array.isArray(value)) return value.length > 0 ? read(value[0]) : null;
  if (!isObject(value)) return null;
  const { error, error_type: type } = value;
  if (typeof error === 'string') return { message: error, type: text(type), param: null, code: null };
  if (isObject(error)) return flat(error);
  if ('detail' in value) return detail(value.detail);
  return flat(value);
}

/** vLLM of old, SGLang, trtllm-serve: `{"object": "error", "message", "type", "param", "code"}`. */
function flat({ message, type, param, code }: Json): Told | null {
  const own = typeof message === 'object' && message !== null ? JSON.stringify(message) : text(message);
  if (own === null) return null;
  return { message: own, type: text(type), param: text(param), code: code == null ? null : String(code) };
}

/** FastAPI's: a text, or a list of `{loc, msg}` of what is wrong with the request's fields. */
function detail(value: unknown): Told | null {
  if (typeof value === 'string') return { message: value, type: null, param: null, code: null };
  if (isObject(value)) return flat(value) ?? quoted(value);
  if (!Array.isArray(value)) return null;
  const problems = value.filter(isObject).map(({ loc, msg }) => {
    // The first place is `body`, which says nothing.
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
  const short = said.replace(/\s+/g, ' ').trim().slice(0, QUOTED);
  return short || `The expert's server answered with status ${status} and no reason.`;
}

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'api_error';
}

function isOpenAi(value: unknown): value is { readonly error: { readonly message: string } } {
  return isObject(value) && isObject(value.error) && typeof value.error.message === 'string';
}

function isErrorStatus(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 400 && value < 600;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
