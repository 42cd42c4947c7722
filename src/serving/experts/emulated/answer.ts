/** Tells an emulated answer word by word: thinking if some effort is asked for, then text or calls of tools. */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Ask } from '../../dialects/ask.ts';
import { refuseUnmet } from '../demands.ts';
import type { Work } from '../running.ts';
import { lastText } from '../text-prompt.ts';
import { conductOf, EMULATED_CAN } from './conduct.ts';
import { beforeAnswer, beforeToken } from './misbehave.ts';
import type { AnswerPlan } from './misbehaviour.ts';
import { emulate, wordCount, words } from './text.ts';

const THOUGHT = 'The emulated expert pretends to think about this.';

export interface Manner {
  readonly expert: string;
  readonly plan: AnswerPlan;
  /** Milliseconds before each word; 0 for none. */
  readonly pause: number;
  newCallId(): string;
}

/** @throws RouterError for a request that it cannot answer, and what the plan wants to go wrong */
export async function tellEmulated(
  ask: Ask,
  { reply, signal, drained }: Work,
  manner: Manner,
): Promise<void> {
  const { expert, plan, pause } = manner;
  await beforeAnswer(plan, signal);
  refuseUnmet(ask, EMULATED_CAN);
  const { maxTokens, stop, effort } = ask.parameters();
  const prompt = lastText(ask);
  const { text, calls } = conductOf(expert, ask);
  let told = 0;
  const tell = async (all: readonly string[], send: (piece: string) => boolean): Promise<void> => {
    for (const piece of all) {
      await beforeToken(plan, told, signal);
      // Yields, so that other requests proceed and a cancel is noticed.
      await (pause > 0 ? sleep(pause, undefined, { signal }) : nextTurn(undefined, { signal }));
      told += 1;
      if (!send(piece)) await drained();
    }
  };
  if (effort !== undefined && effort !== 'none') await tell(words(THOUGHT), (piece) => reply.thinking(piece));
  const thought = told;
  const answer = emulate(text, maxTokens, stop);
  await tell(answer.pieces, (piece) => reply.text(piece));
  for (const { name, json } of calls) {
    reply.toolCall(manner.newCallId(), name);
    await tell(words(json), (piece) => reply.toolArguments(piece));
  }
  await beforeToken(plan, Number.POSITIVE_INFINITY, signal);
  const usage = {
    inputTokens: wordCount(prompt),
    outputTokens: calls.length > 0 ? told : thought + answer.tokens,
    ...(thought > 0 ? { reasoningTokens: thought } : {}),
  };
  const counted = plan.usage ? usage : 'unknown';
  if (calls.length > 0) reply.finish('tool calls', counted);
  else reply.finish(answer.finishReason, counted, answer.stopText);
}
