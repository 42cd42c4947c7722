/**
 * What is passed on without being read: sound, pictures, tokens, moderations and whatever else servers of OpenAI's kind
 * answer beside text. Of a body only the model's name is known, in JSON or in a form, and replaced by the server's own.
 */
import { LIMITS } from '../../core/bounds.ts';
import { RouterError } from '../../core/errors.ts';
import type { MemberPlace } from '../../core/json-measure.ts';
import type { Pieces } from '../../core/pieces.ts';
import { UNKNOWN_OUTCOME } from '../reply/reply.ts';
import type { Scanner } from '../reply/scanner.ts';
import { type Ask, AUTO } from './ask.ts';
import type { Dialect, JsonBody } from './dialect.ts';
import { forwardBody } from './forward.ts';
import { invalid, parseJson } from './json.ts';
import type { ServerNeeds } from './quirks.ts';
import { aloneFacts, WHOLE, WholeAsk } from './whole.ts';

export const PASSED = 'passed';

interface PassedJson {
  /** With its query. */
  readonly path: string;
  readonly bytes: Buffer;
  readonly members: readonly MemberPlace[];
}

/** @throws RouterError `invalid_json` or `invalid_body` */
export function passedJson({ path, bytes, members }: PassedJson): Ask {
  const received: JsonBody = { bytes, json: {}, partial: true, members };
  const forward = (_ask: Ask, server: ServerNeeds): Pieces => forwardBody(received, server);
  return asking({ ...PASSING, paths: [path], forward }, nameInJson(bytes, members), received);
}

interface PassedForm {
  readonly path: string;
  /** With its boundary. */
  readonly contentType: string;
  readonly bytes: Buffer;
}

/** @throws RouterError `invalid_request` */
export function passedForm({ path, contentType, bytes }: PassedForm): Ask {
  const boundary = boundaryOf(contentType);
  if (boundary === null)
    throw new RouterError('invalid_request', 'The form names no boundary in its Content-Type.');
  const place = placeInForm(bytes, boundary);
  const forward = (_ask: Ask, { model }: ServerNeeds): Pieces =>
    place === null ? bytes : [bytes.subarray(0, place.from), Buffer.from(model), bytes.subarray(place.to)];
  const name = place === null ? '' : bytes.toString('utf8', place.from, place.to);
  const ask = asking({ ...PASSING, paths: [path], forward }, name, { bytes, json: {}, partial: true });
  return Object.assign(ask, { contentType });
}

function asking(dialect: Dialect, model: string, received: JsonBody): Ask {
  return new WholeAsk(dialect, aloneFacts(model || AUTO, ''), received);
}

const PASSING = {
  ...WHOLE,
  id: PASSED,
  idPrefix: PASSED,
  claims: () => false,
  facts: () => {
    throw new Error('A request that is passed on is not read.');
  },
  ask: (): Ask => {
    throw new Error('A request that is passed on is not read.');
  },
  scanner: passing,
} as const;

/** The model's name; empty for none. Nothing else is parsed: the body may be large. */
function nameInJson(bytes: Buffer, members: readonly MemberPlace[]): string {
  if (!/^\s*\{/.test(bytes.toString('latin1', 0, 64)))
    throw new RouterError('invalid_json', 'The request body is no JSON object.');
  const place = members.find(
    ({ keyStart, keyEnd }) => bytes.toString('utf8', keyStart, keyEnd) === '"model"',
  );
  const value = place && parseJson(bytes.toString('utf8', place.valueStart, place.valueEnd));
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  throw invalid('model', 'must be a string');
}

/** Any byte is content; what ends well is whole. */
function passing(): Scanner {
  return { done: false, push: () => 'content', end: () => UNKNOWN_OUTCOME };
}

function boundaryOf(contentType: string | undefined): string | null {
  const form = /^multipart\/form-data\s*;.*?\bboundary=(?:"([^"]{1,70})"|([^\s;]{1,70}))/i.exec(
    contentType ?? '',
  );
  return form ? (form[1] ?? form[2]!) : null;
}

const NAMED = /^content-disposition:[^\r\n]*;\s*name="?model"?\s*(?:;|$)/im;
/** The head of a part (RFC 7578), at most. */
const MOST_HEAD = 4 * 1024;
const MOST_NAME = 256;

/** Where a form has the value of its field `model`; null for nowhere. */
function placeInForm(bytes: Buffer, boundary: string): { readonly from: number; readonly to: number } | null {
  const delimiter = Buffer.from(`--${boundary}`);
  let at = bytes.indexOf(delimiter);
  for (let part = 0; part < LIMITS.formParts; part += 1) {
    const next = at < 0 ? -1 : bytes.indexOf(delimiter, at + delimiter.length);
    if (next < 0) return null;
    const head = at + bytes.subarray(at, Math.min(next, at + MOST_HEAD)).indexOf('\r\n\r\n');
    const [from, to] = [head + 4, next - 2];
    if (head >= at && to - from <= MOST_NAME && NAMED.test(bytes.toString('latin1', at, head)))
      return { from, to };
    at = next;
  }
  throw new RouterError('invalid_request', `The form has more than ${LIMITS.formParts} parts.`);
}
