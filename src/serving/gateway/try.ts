/** One try of a request at one replica: its lease, its deadline for the first token, and what came of it. */
import { RouterError } from '../../core/errors.ts';
import type { AnswerSink, ExpertRequest, Generation, Outcome } from '../experts/expert.ts';
import type { ExpertGroup } from '../fleet/group.ts';
import type { Lease, LeaseOutcome } from '../fleet/replica.ts';
import { EmptyAnswer, type Failure, ToldFailure } from '../reply/failure.ts';

/** Who made the try; called no more after `failed`, `ended` or `abandon`. */
export interface TryOwner {
  began(status: number, headers: Readonly<Record<string, string>>): void;
  data(chunk: Uint8Array): boolean;
  ended(outcome: Outcome): void;
  failed(failure: Failure): void;
}

export interface TryOptions {
  readonly group: ExpertGroup;
  readonly lease: Lease;
  readonly request: ExpertRequest;
  /** Milliseconds until content must have begun; null for any. */
  readonly firstTokenMs: number | null;
}

export class Try implements AnswerSink {
  readonly #owner: TryOwner;
  readonly #group: ExpertGroup;
  readonly #lease: Lease;
  readonly #generation: Generation;
  #firstToken: NodeJS.Timeout | null = null;
  #begun = false;
  #over = false;
  #outputBytes = 0;

  constructor({ group, lease, request, firstTokenMs }: TryOptions, owner: TryOwner) {
    this.#owner = owner;
    this.#group = group;
    this.#lease = lease;
    if (firstTokenMs !== null)
      this.#firstToken = setTimeout(() => this.fail(late(group.id, firstTokenMs)), firstTokenMs);
    this.#generation = lease.replica.expert.generate(request, this);
  }

  /** Whether content has begun: nobody can take over. */
  get begun(): boolean {
    return this.#begun;
  }

  get replica(): Lease['replica'] {
    return this.#lease.replica;
  }

  resume(): void {
    this.#generation.resume();
  }

  /** Gives it up, whatever it is at. Harmless when it is over. */
  abandon(outcome: LeaseOutcome): void {
    if (this.#over) return;
    this.#end(outcome);
    this.#generation.cancel();
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    if (this.#over) return;
    this.#begun = true;
    this.#clearTimer();
    this.#lease.answering();
    this.#owner.began(status, headers);
  }

  data(chunk: Uint8Array): boolean {
    if (this.#over) return true;
    this.#outputBytes += chunk.length;
    return this.#owner.data(chunk);
  }

  end(outcome: Outcome): void {
    if (this.#over) return;
    const { usage } = outcome;
    const outputTokens = usage === 'unknown' ? estimatedTokens(this.#outputBytes) : usage.completion_tokens;
    this.#end({ kind: 'ok', outputTokens });
    this.#owner.ended(outcome);
  }

  fail(failure: Failure): void {
    if (this.#over) return;
    const own = keyRefused(this.#group.id, failure) ?? failure;
    this.#end(leaseOutcome(own));
    this.#generation.cancel();
    this.#owner.failed(own);
  }

  #end(outcome: LeaseOutcome): void {
    this.#over = true;
    this.#clearTimer();
    this.#lease.end(outcome);
  }

  #clearTimer(): void {
    if (this.#firstToken) clearTimeout(this.#firstToken);
    this.#firstToken = null;
  }
}

function late(expert: string, milliseconds: number): RouterError {
  return new RouterError(
    'expert_timeout',
    `Expert '${expert}' gave no first token within ${milliseconds / 1000} s.`,
  );
}

/** The client's key was good here: a 401 is about ours, and another expert's may be good. */
function keyRefused(expert: string, failure: Failure): RouterError | null {
  if (!(failure instanceof ToldFailure) || failure.status !== 401) return null;
  return new RouterError(
    'expert_failed',
    `Expert '${expert}' refuses the key that the config gives it (status 401).`,
  );
}

/** Whose doing a failure is. */
function leaseOutcome(failure: Failure): LeaseOutcome {
  if (failure instanceof EmptyAnswer) return { kind: 'ok', outputTokens: 0 };
  if (failure instanceof RouterError) {
    if (!failure.kind.retryable) return { kind: 'undecided' };
    return { kind: 'failed', away: failure.code === 'expert_unreachable' };
  }
  const { status, headers } = failure;
  if (status < 500 && status !== 408 && status !== 429) return { kind: 'ok', outputTokens: 0 };
  const retryAfterMs = retryAfter(headers['retry-after']);
  return { kind: 'failed', ...(retryAfterMs === null ? {} : { retryAfterMs }) };
}

/** About four bytes a token in English text; only ever used to weigh load, never reported. */
export function estimatedTokens(bytes: number): number {
  return Math.ceil(bytes / 4);
}

/** Milliseconds from a Retry-After in seconds; null for none or a date. */
function retryAfter(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,5}$/.test(header) ? Number(header) * 1000 : null;
}
