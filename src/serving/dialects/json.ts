/** Checks shared by dialects of JSON. Errors name the client's field. */
import { LIMITS } from '../../core/bounds.ts';
import { RouterError } from '../../core/errors.ts';
import { excerpt } from '../../core/excerpt.ts';
import type { Json } from './dialect.ts';

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Undefined for invalid JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** As some shells write it: by its mark, or a zero byte in one of the first two characters, which JSON begins in ASCII. */
function isUtf16(body: Buffer): boolean {
  const [first, second] = body;
  return (
    (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || first === 0 || second === 0
  );
}

/** @throws RouterError `invalid_json` or `invalid_body` */
export function parseBody(body: Buffer): Json {
  if (body.length === 0)
    throw new RouterError('invalid_json', 'The request body is empty; send a JSON object.');
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    const problem = isUtf16(body) ? 'it is UTF-16; send it as UTF-8' : excerpt((error as Error).message);
    throw new RouterError('invalid_json', `The request body is not valid JSON: ${problem}`);
  }
  if (!isObject(value)) throw new RouterError('invalid_body', 'The request body must be a JSON object.');
  return value;
}

/** @param what such as `must be a text` */
export function invalid(param: string, what: string): RouterError {
  return new RouterError('invalid_body', `'${param}' ${what}.`, { param });
}

/** @param param the field that refers to something stored */
export function nothingStored(param: string): RouterError {
  return new RouterError(
    'previous_response_not_found',
    `'${param}' refers to something stored, and this router stores nothing: send the whole conversation, or name the expert that keeps it as the model.`,
    { param },
  );
}

export function unsupported(param: string, why: string): RouterError {
  return new RouterError('unsupported_parameter', `'${param}' cannot be honoured: ${why}.`, { param });
}

export function optional(json: Json, field: string, type: 'string'): string | undefined;
export function optional(json: Json, field: string, type: 'boolean'): boolean | undefined;
export function optional(json: Json, field: string, type: string): unknown {
  const value = json[field] ?? undefined;
  if (value === undefined || typeof value === type) return value;
  throw invalid(field, `must be a ${type}`);
}

/** A number in a range; undefined where the request has none. @throws RouterError naming the range */
export function readNumber(
  json: Json,
  param: string,
  from: number,
  to: number,
  whole = false,
): number | undefined {
  const value = json[param];
  if (value === undefined || value === null) return undefined;
  const fits =
    typeof value === 'number' && value >= from && value <= to && (!whole || Number.isInteger(value));
  if (fits) return value;
  const range = to > 1e9 ? `of at least ${from}` : `from ${from} to ${to}`;
  const kind = whole ? 'an integer' : 'a number';
  throw invalid(param, `must be ${from === Number.MIN_SAFE_INTEGER ? kind : `${kind} ${range}`}`);
}

/** The stop sequences of a request, empty ones left out. */
export function readStops(json: Json, param: string): readonly string[] {
  const value = json[param];
  if (value === undefined || value === null) return [];
  const list: unknown = typeof value === 'string' ? [value] : value;
  if (!Array.isArray(list) || !list.every((stop) => typeof stop === 'string'))
    throw invalid(param, 'must be a text or a list of texts');
  if (list.length <= LIMITS.stops && list.every((stop) => stop.length <= LIMITS.stopUnits))
    return list.filter((stop) => stop !== '');
  throw invalid(
    param,
    `may hold ${LIMITS.stops} texts of ${LIMITS.stopUnits} characters each at this expert`,
  );
}

export function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
