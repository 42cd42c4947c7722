/**
 * Misbehaves as planned within this process, before the answer or during it. Misbehaviours of a connection are refused,
 * since there is none.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { RouterError, UserError } from '../../../core/errors.ts';
import { openAiChat } from '../../dialects/openai/chat.ts';
import type { AnswerSink, Generation } from '../expert.ts';
import { type AnswerPlan, type ErrorAnswer, POLITE, planOf } from './misbehaviour.ts';

const WIRE_ONLY = ['contentType', 'done', 'packets', 'lengthError', 'connection'] as const;

/** @throws {UserError} for an unknown name, or for one that needs a connection */
export function planInProcess(list: string): AnswerPlan {
  const plan = planOf(list);
  if (WIRE_ONLY.some((part) => plan[part] !== POLITE[part]))
    throw new UserError(
      `'${list}' shows only on a connection: run 'expert-router emulate' and add it as an expert of kind openai.`,
    );
  return plan;
}

/** Fails with an error status, as a server would. */
export function refuse(sink: AnswerSink, error: ErrorAnswer): Generation {
  let over = false;
  setImmediate(() => {
    if (over) return;
    const { status, message, type, code, retryAfterSeconds } = error;
    const headers = retryAfterSeconds === null ? {} : { 'retry-after': String(retryAfterSeconds) };
    const body = Buffer.from(`${JSON.stringify({ error: { message, type, param: null, code } })}\n`);
    sink.fail(openAiChat.refusal(status, headers, body));
  });
  return {
    resume: () => {},
    cancel: () => {
      over = true;
    },
  };
}

/** Before the first token: a lost connection, silence, or a delay. */
export async function beforeAnswer(plan: AnswerPlan, signal: AbortSignal): Promise<void> {
  if (plan.instead === 'reset')
    throw new RouterError('expert_unreachable', 'Emulated: the expert reset the connection.');
  if (plan.instead === 'silence') await silence(signal);
  if (plan.delayMs > 0) await sleep(plan.delayMs, undefined, { signal });
}

/** Breaks off as planned. @param said tokens so far */
export async function beforeToken({ breaks }: AnswerPlan, said: number, signal: AbortSignal): Promise<void> {
  if (!breaks || said < breaks.after) return;
  if (breaks.how === 'stall') await silence(signal);
  throw new RouterError('expert_cut_stream', `Emulated: the expert broke off its answer (${breaks.how}).`);
}

/** Rejects when the request is cancelled. */
function silence(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const giveUp = (): void => reject(signal.reason);
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
  });
}
