/** Stop reasons and token counts, as the Messages API writes them. */
import type { FinishReason, Usage } from '../../reply/reply.ts';
import type { Json } from '../dialect.ts';
import { isObject } from '../json.ts';

const FINISH: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool calls',
  refusal: 'filtered',
};

export function readStopReason(reason: unknown): FinishReason | 'unknown' {
  return (typeof reason === 'string' ? FINISH[reason] : undefined) ?? 'unknown';
}

export interface Ended {
  readonly reason: FinishReason | 'unknown';
  /** Whether tools were called: some engines then still say that they have stopped. */
  readonly called: boolean;
  readonly stopText: string | undefined;
}

/** The API knows no answer that ended for no known reason: it is the end of the turn. */
export function writeStop({ reason, called, stopText }: Ended): Json {
  const stopped = reason === 'stop' && !called && stopText !== undefined;
  return {
    stop_reason: stopped ? 'stop_sequence' : writeStopReason(reason, called),
    stop_sequence: stopped ? stopText : null,
  };
}

function writeStopReason(reason: FinishReason | 'unknown', called: boolean): string {
  switch (reason) {
    case 'length':
      return 'max_tokens';
    case 'filtered':
      return 'refusal';
    case 'tool calls':
      return 'tool_use';
    default:
      return called ? 'tool_use' : 'end_turn';
  }
}

/** A neutral count includes the cached tokens of a prompt; the Messages API counts those beside the others. */
export function readUsage(usage: Json): Usage | 'unknown' {
  const input = count(usage.input_tokens);
  const output = count(usage.output_tokens);
  if (input === null || output === null) return 'unknown';
  const cached = count(usage.cache_read_input_tokens);
  const details = isObject(usage.output_tokens_details) ? usage.output_tokens_details : {};
  const thought = count(details.thinking_tokens);
  return {
    inputTokens: input + (cached ?? 0) + (count(usage.cache_creation_input_tokens) ?? 0),
    outputTokens: output,
    ...(cached === null ? {} : { cachedTokens: cached }),
    ...(thought === null ? {} : { reasoningTokens: thought }),
  };
}

/** The API demands numbers: where the expert told none, they are 0. */
export function writeUsage(usage: Usage | 'unknown'): Json {
  const told: Usage = usage === 'unknown' ? { inputTokens: 0, outputTokens: 0 } : usage;
  const { inputTokens, outputTokens, cachedTokens = 0, reasoningTokens } = told;
  return {
    input_tokens: Math.max(0, inputTokens - cachedTokens),
    output_tokens: outputTokens,
    output_tokens_details: reasoningTokens === undefined ? null : { thinking_tokens: reasoningTokens },
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cachedTokens,
    server_tool_use: null,
  };
}

/** Of a message, which has more to it than the events of its end. */
export function writeMessageUsage(usage: Usage | 'unknown'): Json {
  return { ...writeUsage(usage), ...ONLY_ANTHROPICS };
}

const ONLY_ANTHROPICS = { cache_creation: null, inference_geo: null, service_tier: null, speed: null };

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : null;
}
