/**
 * A request's parameters, checked, for experts that generate by themselves; what would change the meaning of the
 * answer and cannot be honoured is refused. It knows nothing of engines or defaults.
 */
import { LIMITS } from '../../core/bounds.ts';
import { RouterError } from '../../core/errors.ts';
import type { ExpertRequest } from './expert.ts';

/** What the client asked for; undefined where it said nothing. */
export interface Parameters {
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  readonly topK: number | undefined;
  readonly seed: number | undefined;
  readonly maxTokens: number | undefined;
  readonly repetitionPenalty: number | undefined;
  readonly frequencyPenalty: number;
  readonly presencePenalty: number;
  readonly stop: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Refused: `n` or `best_of` above 1, `tools` with `tool_choice` that demands a call, `response_format` other than
 * text, `logprobs`, `echo`, `suffix`, `logit_bias`. Ignored: `tools` with `tool_choice: auto`, `user`, `metadata`,
 * `store`, `service_tier`, and fields OpenAI does not know.
 */
export function readParameters(request: ExpertRequest): Parameters {
  refusePartial(request);
  const json: Json = request.json;
  refuseUnsupported(json);
  const limit = request.endpoint === 'chat' && json.max_completion_tokens != null;
  const topK = readNumber(json, 'top_k', -1, 1_000_000, true);
  return {
    temperature: readNumber(json, 'temperature', 0, 2),
    topP: readNumber(json, 'top_p', 0, 1),
    topK: topK === undefined ? undefined : Math.max(topK, 0),
    seed: readNumber(json, 'seed', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, true),
    maxTokens: readNumber(
      json,
      limit ? 'max_completion_tokens' : 'max_tokens',
      1,
      Number.MAX_SAFE_INTEGER,
      true,
    ),
    repetitionPenalty: readNumber(json, 'repetition_penalty', 0.01, 2),
    frequencyPenalty: readNumber(json, 'frequency_penalty', -2, 2) ?? 0,
    presencePenalty: readNumber(json, 'presence_penalty', -2, 2) ?? 0,
    stop: readStops(json.stop),
  };
}

/** For experts that read a request's values. @throws RouterError `body_too_large` where they are not all there */
export function refusePartial({ partial }: ExpertRequest): void {
  if (partial)
    throw new RouterError(
      'body_too_large',
      `This expert reads requests of at most ${LIMITS.loopTokens} brackets, commas and colons; send fewer values.`,
    );
}

function refuseUnsupported(json: Json): void {
  const format = json.response_format as { type?: unknown } | null | undefined;
  const choice = json.tool_choice;
  const demanded = choice === 'required' || (typeof choice === 'object' && choice !== null);
  const refused: readonly [param: string, hit: boolean, why: string][] = [
    ['n', aboveOne(json.n), 'more than one answer per request is not offered'],
    ['best_of', aboveOne(json.best_of), 'more than one answer per request is not offered'],
    ['tool_choice', demanded, 'this expert cannot be made to call a tool'],
    ['response_format', format != null && format.type !== 'text', 'this expert answers in free text only'],
    ['logprobs', json.logprobs != null && json.logprobs !== false, 'token probabilities are not offered'],
    ['echo', json.echo === true, 'echoing the prompt is not offered'],
    ['suffix', typeof json.suffix === 'string' && json.suffix !== '', 'insertion is not offered'],
    ['logit_bias', hasEntries(json.logit_bias), 'token biases are not offered'],
  ];
  for (const [param, hit, why] of refused) {
    if (hit)
      throw new RouterError('unsupported_parameter', `'${param}' cannot be honoured: ${why}.`, { param });
  }
}

function aboveOne(value: unknown): boolean {
  return value != null && value !== 1;
}

function hasEntries(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
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
  const wanted = from === Number.MIN_SAFE_INTEGER ? kind : `${kind} ${range}`;
  throw new RouterError('invalid_body', `'${param}' must be ${wanted}.`, { param });
}

/** The stop sequences of a request, empty ones left out. */
export function readStops(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  const list: unknown = typeof value === 'string' ? [value] : value;
  if (Array.isArray(list) && list.every((stop) => typeof stop === 'string')) {
    if (list.length <= LIMITS.stops && list.every((stop) => stop.length <= LIMITS.stopUnits))
      return list.filter((stop) => stop !== '');
    throw new RouterError(
      'invalid_body',
      `'stop' may hold ${LIMITS.stops} texts of ${LIMITS.stopUnits} characters each at this expert.`,
      { param: 'stop' },
    );
  }
  throw new RouterError('invalid_body', "'stop' must be a text or a list of texts.", { param: 'stop' });
}
