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

/**
 * The API knows no answer that ended for no known reason: it is the end of the turn.
 * @param called whether tools were called: some engines then still say that they have stopped
 */
export function writeStopReason(reason: FinishReason | 'unknown', called: boolean): string {
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
  if (usage === 'unknown') return { input_tokens: 0, output_tokens: 0, ...NO_CACHE };
  const { inputTokens, outputTokens, cachedTokens = 0, reasoningTokens } = usage;
  return {
    input_tokens: Math.max(0, inputTokens - cachedTokens),
    output_tokens: outputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cachedTokens,
    ...(reasoningTokens === undefined ? {} : { output_tokens_details: { thinking_tokens: reasoningTokens } }),
  };
}

const NO_CACHE = { cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : null;
}
