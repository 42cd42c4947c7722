/**
 * The named misbehaviours of emulated experts, as changes to the plan of an answer.
 */
import { parseDuration } from '../../../core/duration.ts';
import { UserError } from '../../../core/errors.ts';
import { nearestName } from '../../../core/suggest.ts';

/** How an answer misbehaves. Each misbehaviour changes a part, so they can be combined. */
export interface AnswerPlan {
  /** Instead of an answer: a reset connection, silence, or an error with this status. */
  readonly instead: 'reset' | 'silence' | ErrorAnswer | null;
  /** Between the head of the answer and the start of work on it. */
  readonly delayMs: number;
  /** What happens after so many tokens; null lets the answer run to its end. */
  readonly breaks: { readonly after: number; readonly how: Break } | null;
  readonly contentType: string | null;
  readonly usage: boolean;
  readonly done: boolean;
  readonly packets: 'whole' | 'split-utf8' | 'bytes';
  /** Bytes that content-length claims beyond (or short of) the body. */
  readonly lengthError: number;
  /** What happens to the connection: `close` after the answer, `reset-reused` on its second request. */
  readonly connection: 'keep' | 'close' | 'reset-reused';
}

type Break = 'stall' | 'cut' | 'error-event' | 'malformed-json';

export interface ErrorAnswer {
  readonly status: number;
  readonly type: string;
  readonly code: string;
  readonly message: string;
  readonly retryAfterSeconds: number | null;
}

export const POLITE: AnswerPlan = {
  instead: null,
  delayMs: 0,
  breaks: null,
  contentType: null,
  usage: true,
  done: true,
  packets: 'whole',
  lengthError: 0,
  connection: 'keep',
};

interface Misbehaviour {
  readonly summary: string;
  /** The number after a name, as in `stall-after=5`; durations in milliseconds. */
  readonly parameter?: { readonly name: string; readonly unit: Unit; readonly default: number };
  readonly change: (value: number) => Partial<AnswerPlan>;
}

type Unit = 'tokens' | 'duration' | 'bytes' | 'seconds';

const error = (status: number, type: string, code: string, message: string) => (): Partial<AnswerPlan> => ({
  instead: { status, type, code, message: `Emulated: ${message}`, retryAfterSeconds: null },
});
const breaks = (how: Break) => ({
  parameter: { name: 'after', unit: 'tokens' as const, default: 5 },
  change: (after: number): Partial<AnswerPlan> => ({ breaks: { after, how } }),
});

export const MISBEHAVIOURS = {
  refuse: {
    summary: 'resets the connection before any byte of an answer',
    change: () => ({ instead: 'reset' }),
  },
  '401': {
    summary: 'answers 401, as for a wrong key',
    change: error(401, 'authentication_error', 'invalid_api_key', 'the key is refused.'),
  },
  '429': {
    summary: 'answers 429 with Retry-After',
    parameter: { name: 'retry-after', unit: 'seconds', default: 2 },
    change: (retryAfterSeconds) => ({
      instead: {
        status: 429,
        type: 'rate_limit_error',
        code: 'rate_limit_exceeded',
        message: 'Emulated: too many requests.',
        retryAfterSeconds,
      },
    }),
  },
  '500': {
    summary: 'answers 500',
    change: error(500, 'api_error', 'internal_error', 'the server failed.'),
  },
  '503': {
    summary: 'answers 503',
    change: error(503, 'api_error', 'overloaded', 'the server is not available.'),
  },
  'content-filter': {
    summary: 'answers 400 with code content_filter',
    change: error(400, 'invalid_request_error', 'content_filter', 'the content filter refused the prompt.'),
  },
  hang: {
    summary: 'takes the request and never says anything',
    change: () => ({ instead: 'silence' }),
  },
  'slow-first-token': {
    summary: 'sends the head at once and the first token late',
    parameter: { name: 'delay', unit: 'duration', default: 10_000 },
    change: (delayMs) => ({ delayMs }),
  },
  stall: { summary: 'falls silent in mid-answer, connection open', ...breaks('stall') },
  cut: { summary: 'closes the connection in mid-answer', ...breaks('cut') },
  'error-event': { summary: 'sends an error event inside a 200 and ends', ...breaks('error-event') },
  'malformed-json': { summary: 'sends JSON that ends in the middle', ...breaks('malformed-json') },
  'no-usage': { summary: 'never reports usage, asked or not', change: () => ({ usage: false }) },
  'no-done': { summary: 'ends a stream without [DONE]', change: () => ({ done: false }) },
  'wrong-content-type': {
    summary: 'calls its answer text/html',
    change: () => ({ contentType: 'text/html; charset=utf-8' }),
  },
  'split-utf8': {
    summary: 'writes characters of several bytes, each cut between two packets',
    change: () => ({ packets: 'split-utf8' }),
  },
  'byte-at-a-time': {
    summary: 'writes its answer one byte a packet',
    change: () => ({ packets: 'bytes' }),
  },
  'close-idle': {
    summary: 'closes a keep-alive connection right after an answer, unannounced',
    change: () => ({ connection: 'close' }),
  },
  'close-reused': {
    summary: 'resets a keep-alive connection when its second request comes',
    change: () => ({ connection: 'reset-reused' }),
  },
  'length-too-long': {
    summary: 'claims a longer body than it sends, then closes',
    parameter: { name: 'by', unit: 'bytes', default: 64 },
    change: (lengthError) => ({ lengthError }),
  },
  'length-too-short': {
    summary: 'claims a shorter body than it sends',
    parameter: { name: 'by', unit: 'bytes', default: 64 },
    change: (bytes) => ({ lengthError: -bytes }),
  },
} as const satisfies Record<string, Misbehaviour>;

const TABLE: Readonly<Record<string, Misbehaviour>> = MISBEHAVIOURS;

/**
 * The plan for a comma-separated list: `cut`, `cut=3`, `stall-after=5, no-usage`, `slow-first-token-delay=3s`.
 * @throws {UserError} for an unknown name or a value of the wrong unit
 */
export function planOf(list: string): AnswerPlan {
  const items = list.split(',').map((item) => item.trim());
  return Object.assign({}, POLITE, ...items.filter(Boolean).map(changeOf)) as AnswerPlan;
}

function changeOf(item: string): Partial<AnswerPlan> {
  const [left = '', right] = item.split('=').map((part) => part.trim().toLowerCase());
  const direct = TABLE[left];
  const name = direct
    ? left
    : Object.keys(TABLE).find((one) => left === `${one}-${TABLE[one]!.parameter?.name}`);
  const found = name === undefined ? undefined : TABLE[name];
  if (!found || (!direct && right === undefined)) throw unknown(left);
  if (right === undefined) return found.change(found.parameter?.default ?? 0);
  if (!found.parameter) throw new UserError(`misbehaviour '${name}' takes no value; '${item}' gives it one.`);
  return found.change(numberOf(right, found.parameter.unit, item));
}

function numberOf(text: string, unit: Unit, item: string): number {
  const value = unit === 'duration' ? parseDuration(text) : /^\d+$/.test(text) ? Number(text) : null;
  if (value !== null) return value;
  const wanted = unit === 'duration' ? 'a duration such as 500ms or 3s' : `a whole number of ${unit}`;
  throw new UserError(`misbehaviour '${item}': the value must be ${wanted}.`);
}

function unknown(name: string): UserError {
  const names = Object.keys(TABLE);
  const near = nearestName(name, names);
  const hint = near ? ` Did you mean '${near}'?` : '';
  return new UserError(`There is no misbehaviour '${name}'.${hint} There are: ${names.join(', ')}.`);
}

/** The table as lines of text for `--help`. */
export function describeMisbehaviours(): readonly string[] {
  return Object.entries(TABLE).map(([name, { summary, parameter }]) => {
    const value = parameter ? ` (${name}-${parameter.name}=${shown(parameter)})` : '';
    return `  ${name.padEnd(18)} ${summary}${value}`;
  });
}

function shown({ unit, default: value }: NonNullable<Misbehaviour['parameter']>): string {
  return unit === 'duration' ? `${value / 1000}s` : String(value);
}
