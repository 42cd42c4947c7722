/** How a response ended, and its token counts, as the Responses API writes them. */
import { tokenCount } from '../../../core/token-count.ts';
import type { FinishReason, Usage } from '../../reply/reply.ts';
import type { Json } from '../dialect.ts';
import { isObject } from '../json.ts';

/** @param output its items, since calls have no status of their own */
export function readFinish({ status, incomplete_details: details, output }: Json): FinishReason | 'unknown' {
  if (status === 'completed') return callsTools(output) ? 'tool calls' : 'stop';
  const reason = isObject(details) ? details.reason : null;
  if (reason === 'max_output_tokens') return 'length';
  return reason === 'content_filter' ? 'filtered' : 'unknown';
}

function callsTools(output: unknown): boolean {
  return (
    Array.isArray(output) &&
    output.some((item) => isObject(item) && /^(function|custom_tool)_call$/.test(String(item.type)))
  );
}

/** The reason for which a response is incomplete; null for one that is complete. */
export function incompleteFor(reason: FinishReason | 'unknown'): string | null {
  if (reason === 'length') return 'max_output_tokens';
  return reason === 'filtered' ? 'content_filter' : null;
}

export function readUsage(value: unknown): Usage | 'unknown' {
  if (!isObject(value)) return 'unknown';
  const input = tokenCount(value.input_tokens);
  const output = tokenCount(value.output_tokens);
  if (input === null || output === null) return 'unknown';
  const cached = detail(value.input_tokens_details, 'cached_tokens');
  const reasoning = detail(value.output_tokens_details, 'reasoning_tokens');
  return {
    inputTokens: input,
    outputTokens: output,
    ...(cached === null ? {} : { cachedTokens: Math.min(cached, input) }),
    ...(reasoning === null ? {} : { reasoningTokens: reasoning }),
  };
}

/** Null where the expert told none. Details that it did not tell are 0, as the API demands numbers. */
export function writeUsage(usage: Usage | 'unknown'): Json | null {
  if (usage === 'unknown') return null;
  const { inputTokens, outputTokens, cachedTokens = 0, reasoningTokens = 0 } = usage;
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedTokens, cache_write_tokens: 0 },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: inputTokens + outputTokens,
  };
}

function detail(details: unknown, field: string): number | null {
  return isObject(details) ? tokenCount(details[field]) : null;
}
