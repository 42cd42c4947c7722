/** What Ollama's answers have beside their text: a time, a reason for the end, and counts. */
import { tokenCount } from '../../../core/token-count.ts';
import type { FinishReason, Usage } from '../../reply/reply.ts';
import type { Json } from '../dialect.ts';

export function readReason(reason: unknown): FinishReason | 'unknown' {
  return reason === 'stop' || reason === 'length' ? reason : 'unknown';
}

/** The API knows two: whatever was not cut short has stopped. */
export function writeReason(reason: FinishReason | 'unknown'): string {
  return reason === 'length' ? 'length' : 'stop';
}

/** Ollama leaves out a count of 0, such as of a prompt that is cached whole. */
export function readUsage({ prompt_eval_count: input, eval_count: output }: Json): Usage | 'unknown' {
  const [prompt, answer] = [tokenCount(input ?? 0), tokenCount(output)];
  return prompt === null || answer === null ? 'unknown' : { inputTokens: prompt, outputTokens: answer };
}

/** What nobody told is left out. */
export function writeUsage(usage: Usage | 'unknown'): Json {
  if (usage === 'unknown') return {};
  return { prompt_eval_count: usage.inputTokens, eval_count: usage.outputTokens };
}

/** @param created seconds since 1970 */
export function writeTime(created: number): string {
  return new Date(created * 1000).toISOString();
}
