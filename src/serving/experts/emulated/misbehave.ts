/**
 * Carries out a plan of misbehaviour inside this process, where there is no wire: before the answer and within it.
 * What only shows in bytes on a connection is refused.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { RouterError, UserError } from '../../../core/errors.ts';
import { ToldFailure } from '../../reply/failure.ts';
import type { AnswerSink, Generation } from '../expert.ts';
import { type AnswerPlan, type ErrorAnswer, POLITE, planOf } from './misbehaviour.ts';

const WIRE_ONLY = ['contentType', 'done', 'packets', 'lengthError', 'connection'] as const;

/** @throws {UserError} for an unknown name, or one that only a server of its own can show */
export function planInProcess(list: string): AnswerPlan {
  const plan = planOf(list);
  if (WIRE_ONLY.some((part) => plan[part] !== POLITE[part]))
    throw new UserError(
      `'${list}' shows only on a connection: run 'expert-router emulate' and add it as an expert of kind openai.`,
    );
  return plan;
}

/** Answers an error status, as a server behind a relaying kind would. */
export function refuse(sink: AnswerSink, error: ErrorAnswer): Generation {
  let over = false;
  setImmediate(() => {
    if (over) return;
    const { status, message, type, code, retryAfterSeconds } = error;
    const headers = retryAfterSeconds === null ? {} : { 'retry-after': String(retryAfterSeconds) };
    sink.fail(new ToldFailure({ status, message, type, param: null, code, headers }));
  });
  return {
    resume: () => {},
    cancel: () => {
      over = true;
    },
  };
}

/** What comes before the first token: a lost connection, silence, a delay, or nothing. */
export async function beforeAnswer(plan: AnswerPlan, signal: AbortSignal): Promise<void> {
  if (plan.instead === 'reset')
    throw new RouterError('expert_unreachable', 'Emulated: the expert reset the connection.');
  if (plan.instead === 'silence') await silence(signal);
  if (plan.delayMs > 0) await sleep(plan.delayMs, undefined, { signal });
}

/** Breaks off where the plan says so; `said` counts the tokens that have left. */
export async function beforeToken({ breaks }: AnswerPlan, said: number, signal: AbortSignal): Promise<void> {
  if (!breaks || said < breaks.after) return;
  if (breaks.how === 'stall') await silence(signal);
  throw new RouterError('expert_cut_stream', `Emulated: the expert broke off its answer (${breaks.how}).`);
}

/** Until somebody gives up. */
function silence(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const giveUp = (): void => reject(signal.reason);
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
  });
}
