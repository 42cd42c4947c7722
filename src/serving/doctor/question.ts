/** Asks an expert as the gateway would, and hands back what came and when. */
import { RouterError } from '../../core/errors.ts';
import { readAsk } from '../dialects/index.ts';
import type { ChatBody } from '../dialects/openai/bodies.ts';
import { openAiChat } from '../dialects/openai/chat.ts';
import type { Expert, ExpertRequest, Outcome } from '../experts/expert.ts';

export interface Heard {
  readonly status: number;
  readonly body: Buffer;
  readonly pieces: number;
  /** Milliseconds to the first byte and to the end, by the clock given. */
  readonly firstMs: number | null;
  readonly totalMs: number;
  readonly outcome: Outcome | null;
  readonly failure: RouterError | null;
}

export interface Asking {
  /** The reader leaves: nothing more is heard, and `done` stays open. */
  leave(): void;
  /** Resolves at the first byte of the body, or at the end where none comes. */
  readonly begun: Promise<void>;
  /** Never rejects. */
  readonly done: Promise<Heard>;
  /** Whether it is over. */
  over(): boolean;
}

/** @param within milliseconds after which it is given up, as `expert_timeout` */
export function askExpert(expert: Expert, json: ChatBody, within: number, now: () => number): Asking {
  const started = now();
  const pieces: Buffer[] = [];
  let status = 0;
  let firstMs: number | null = null;
  let over = false;
  let begin = (): void => {};
  let finish = (_outcome: Outcome | null, _failure: RouterError | null): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const done = new Promise<Heard>((resolve) => {
    finish = (outcome, failure) => {
      over = true;
      clearTimeout(timer);
      begin();
      const totalMs = now() - started;
      resolve({
        status,
        body: Buffer.concat(pieces),
        pieces: pieces.length,
        firstMs,
        totalMs,
        outcome,
        failure,
      });
    };
  });
  const generation = expert.generate(requestOf(json), {
    head: (got) => {
      status = got;
    },
    data: (piece) => {
      firstMs ??= now() - started;
      pieces.push(Buffer.from(piece));
      begin();
      return true;
    },
    end: (outcome) => finish(outcome, null),
    fail: (failure) => {
      if (failure instanceof RouterError) return finish(null, failure);
      const answer = openAiChat.error(failure);
      status = answer.status;
      pieces.push(answer.body);
      finish(null, null);
    },
  });
  const timer = setTimeout(() => {
    generation.cancel();
    finish(null, new RouterError('expert_timeout', `no whole answer within ${within / 1000} s`));
  }, within);
  const leave = (): void => {
    clearTimeout(timer);
    generation.cancel();
  };
  return { leave, begun, done, over: () => over };
}

function requestOf(json: ChatBody): ExpertRequest {
  const ask = readAsk(openAiChat, Buffer.from(JSON.stringify(json)));
  return { ask, headers: {}, traceId: 'doctor' };
}
