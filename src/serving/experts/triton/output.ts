/** What one response of a model on Triton says, whatever the dialect calls it. */
import { tokenCount } from '../../../core/token-count.ts';
import type { FinishReason } from '../../reply/reply.ts';
import type { Outputs } from './tensors.ts';

export interface Output {
  /** Bytes of text, perhaps ending within a character; null when the response carries no text. */
  readonly text: Buffer | null;
  readonly ids: readonly number[];
  readonly finishReason: FinishReason | null;
  readonly inputTokens: number | null;
  /** Of this response alone. */
  readonly outputTokens: number | null;
}

export function readOutput(outputs: Outputs): Output {
  const text = outputs.get('text_output')?.[0];
  return {
    text: Buffer.isBuffer(text) ? text : null,
    ids: readIds(outputs),
    finishReason: readReason(outputs.get('finish_reason')?.[0]),
    inputTokens: tokenCount(outputs.get('num_input_tokens')?.[0]),
    outputTokens: tokenCount(outputs.get('num_output_tokens')?.[0]),
  };
}

/** Padding follows the ids that count; `sequence_length` says how many those are. */
function readIds(outputs: Outputs): readonly number[] {
  const ids = (outputs.get('output_ids') ?? []).filter((id) => typeof id === 'number');
  const length = tokenCount(outputs.get('sequence_length')?.[0]);
  return length !== null && length < ids.length ? ids.slice(0, length) : ids;
}

/** Engines write Python's `None` until there is a reason. */
function readReason(value: unknown): FinishReason | null {
  const reason = Buffer.isBuffer(value) ? value.toString() : null;
  return reason === 'stop' || reason === 'length' ? reason : null;
}
