/** Token counts and finish reasons, as OpenAI's answers write them. */
import type { FinishReason, Usage } from '../../reply/reply.ts';
import type { Json } from '../dialect.ts';
import { isObject } from '../json.ts';

/** The `usage` of an answer; null where it is absent or counts nothing. */
export function readUsage(value: unknown): Usage | null {
  if (!isObject(value)) return null;
  const { prompt_tokens: input, completion_tokens: output } = value;
  if (!isCount(input) || !isCount(output)) return null;
  const cached = detail(value.prompt_tokens_details, 'cached_tokens');
  const reasoning = detail(value.completion_tokens_details, 'reasoning_tokens');
  return {
    inputTokens: input,
    outputTokens: output,
    ...(cached === null ? {} : { cachedTokens: cached }),
    ...(reasoning === null ? {} : { reasoningTokens: reasoning }),
  };
}

export function writeUsage({ inputTokens, outputTokens, cachedTokens, reasoningTokens }: Usage): Json {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    ...(cachedTokens === undefined ? {} : { prompt_tokens_details: { cached_tokens: cachedTokens } }),
    ...(reasoningTokens === undefined
      ? {}
      : { completion_tokens_details: { reasoning_tokens: reasoningTokens } }),
  };
}

const WORDS: Readonly<Record<FinishReason, string>> = {
  stop: 'stop',
  length: 'length',
  filtered: 'content_filter',
  'tool calls': 'tool_calls',
};
/** OpenAI's, that of its older form of calls, and those of other servers (TGI, Mistral, Anthropic behind a proxy). */
const REASONS: ReadonlyMap<unknown, FinishReason> = new Map<unknown, FinishReason>([
  ...Object.entries(WORDS).map(([reason, word]) => [word, reason as FinishReason] as const),
  ['function_call', 'tool calls'],
  ['tool_use', 'tool calls'],
  ['eos_token', 'stop'],
  ['stop_sequence', 'stop'],
  ['end_turn', 'stop'],
  ['model_length', 'length'],
  ['max_tokens', 'length'],
]);

export function readFinishReason(word: unknown): FinishReason | 'unknown' {
  return REASONS.get(word) ?? 'unknown';
}

/** An unknown reason is null on the wire. */
export function writeFinishReason(reason: FinishReason | 'unknown'): string | null {
  return reason === 'unknown' ? null : WORDS[reason];
}

function detail(details: unknown, field: string): number | null {
  const value = isObject(details) ? details[field] : null;
  return isCount(value) ? value : null;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}
