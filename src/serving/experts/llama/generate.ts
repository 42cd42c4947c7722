/**
 * One answer on one borrowed sequence: prompt in, tokens out, until the model ends, a stop sequence comes, or the
 * limit is reached.
 */
import type { FinishReason, Usage } from '../../reply/reply.ts';
import { stopFilter } from '../stop.ts';
import type { EvaluateOptions, GrammarState, Model, Sequence, Token, TokenBias } from './engine-api.ts';
import { tokenText } from './token-text.ts';

export interface Job {
  readonly prompt: Token[];
  readonly maxTokens: number;
  readonly stop: readonly string[];
  readonly sampling: Sampling;
  /** What the answer is held to. */
  readonly grammar?: GrammarState;
  /** By how many tokens there are of it. */
  readonly bias?: (tokens: number) => TokenBias;
}

export interface Sampling {
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly seed: number;
  readonly repetitionPenalty: number;
  readonly frequencyPenalty: number;
  readonly presencePenalty: number;
}

export interface Listener {
  readonly signal: AbortSignal;
  /** False asks for a pause until `drained` resolves. */
  text(piece: string): boolean;
  drained(): Promise<void>;
}

/** Prompts go in by pieces this long: a batch cannot be interrupted, and a reader who leaves must free it soon. */
const PREFILL = 16;
/** How far back repetition is punished. */
const REMEMBERED = 64;

export interface Ended {
  readonly finishReason: FinishReason;
  readonly usage: Usage;
  /** At which it stopped; null for none. */
  readonly stopText: string | null;
}

export async function generate(
  model: Model,
  sequence: Sequence,
  job: Job,
  listener: Listener,
): Promise<Ended> {
  const { signal } = listener;
  const answer: Token[] = [];
  const last = await prefill(sequence, job.prompt, signal);
  const text = tokenText(model, job.prompt);
  const filter = stopFilter(job.stop);
  let finishReason: FinishReason = 'stop';
  let stopped: string | null = null;
  for await (const token of sequence.evaluate(last, evaluateOptions(job, answer))) {
    signal.throwIfAborted();
    answer.push(token);
    const shown = filter.push(text.push(token));
    stopped = shown.stopped;
    if (shown.text && !listener.text(shown.text)) await listener.drained();
    if (stopped !== null) break;
    if (answer.length >= job.maxTokens) {
      finishReason = 'length';
      break;
    }
  }
  signal.throwIfAborted();
  if (stopped === null) {
    const rest = filter.push(text.flush());
    stopped = rest.stopped;
    if (stopped !== null) finishReason = 'stop';
    const held = stopped === null ? rest.text + filter.flush() : rest.text;
    if (held) listener.text(held);
  }
  const usage = { inputTokens: job.prompt.length, outputTokens: answer.length };
  return { finishReason, usage, stopText: stopped };
}

/** Keeps what the sequence already holds of this prompt; returns the tokens with which generating begins. */
async function prefill(sequence: Sequence, prompt: Token[], signal: AbortSignal): Promise<Token[]> {
  await sequence.adaptStateToTokens(prompt.slice(0, -1), false);
  let at = sequence.nextTokenIndex;
  while (prompt.length - at > PREFILL) {
    signal.throwIfAborted();
    await sequence.evaluateWithoutGeneratingNewTokens(prompt.slice(at, at + PREFILL));
    at += PREFILL;
  }
  signal.throwIfAborted();
  return prompt.slice(at);
}

function evaluateOptions({ sampling, grammar, bias }: Job, answer: readonly Token[]): EvaluateOptions {
  return {
    ...(grammar ? { grammarEvaluationState: grammar } : {}),
    ...(bias ? { tokenBias: () => bias(answer.length) } : {}),
    temperature: sampling.temperature,
    topP: sampling.topP,
    topK: sampling.topK,
    seed: sampling.seed,
    repeatPenalty: {
      punishTokens: () => answer.slice(-REMEMBERED),
      maxPunishTokens: REMEMBERED,
      penalty: sampling.repetitionPenalty,
      frequencyPenalty: sampling.frequencyPenalty,
      presencePenalty: sampling.presencePenalty,
    },
  };
}
