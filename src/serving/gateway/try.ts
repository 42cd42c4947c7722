/** One try of a request at one replica: its lease, its deadline for the first token, and what came of it. */
import { RouterError } from '../../core/errors.ts';
import { PASSED } from '../dialects/passed.ts';
import type { AnswerSink, ExpertRequest, Generation, Outcome } from '../experts/expert.ts';
import { generate } from '../experts/in-other-words.ts';
import type { ExpertGroup } from '../fleet/group.ts';
import type { LeaseOutcome } from '../fleet/lease.ts';
import type { Lease } from '../fleet/replica.ts';
import { OVERDUE_SHARE, type Waiting } from '../fleet/signs-of-life.ts';
import { type Failure, type Reach, reachOf, ToldFailure } from '../reply/failure.ts';
import type { Usage } from '../reply/reply.ts';
import { leaseOutcome, ownFailure } from './blame.ts';

/** Who made the try; called no more after `failed`, `ended` or `abandon`. */
export interface TryOwner {
  began(status: number, headers: Readonly<Record<string, string>>): void;
  data(chunk: Uint8Array): boolean;
  ended(outcome: Outcome): void;
  /** @param reach who else might succeed @param status with which the server refused; null where it did not */
  failed(failure: Failure, reach: Reach, status: number | null): void;
  /** Whether somebody who has nothing to do could take over. */
  readonly hasIdleOther: boolean;
}

export interface TryOptions {
  readonly group: ExpertGroup;
  readonly lease: Lease;
  readonly request: ExpertRequest;
  readonly tenant: string;
  /** Milliseconds since 1970. */
  epoch(): number;
  /** Milliseconds until the content of a stream must have begun. */
  readonly firstTokenMs: number;
}

export class Try implements AnswerSink, Waiting {
  readonly #owner: TryOwner;
  readonly #group: ExpertGroup;
  readonly #lease: Lease;
  readonly #generation: Generation;
  #firstToken: NodeJS.Timeout | null = null;
  #begun = false;
  #over = false;
  #outputBytes = 0;
  #outcome: LeaseOutcome['kind'] | null = null;
  readonly #tenant: string;
  readonly #passed: boolean;
  readonly #streams: boolean;
  readonly #epoch: () => number;
  readonly #firstTokenMs: number;

  constructor({ group, lease, request, tenant, epoch, firstTokenMs }: TryOptions, owner: TryOwner) {
    this.#owner = owner;
    this.#group = group;
    this.#lease = lease;
    this.#tenant = tenant;
    this.#passed = request.ask.dialect.id === PASSED;
    this.#streams = request.ask.stream;
    this.#epoch = epoch;
    this.#firstTokenMs = firstTokenMs;
    // Nobody knows how long a whole answer takes: it is given up only where its expert seems to hang.
    this.#firstToken = this.#streams
      ? setTimeout(() => this.#fail(this.#tooLate(), { kind: 'late' }), firstTokenMs)
      : setTimeout(() => lease.overdue(), firstTokenMs * OVERDUE_SHARE);
    lease.wait(this);
    this.#generation = generate(lease.replica.expert, request, this);
  }

  get stream(): boolean {
    return this.#streams;
  }

  onHang(): void {
    if (this.#streams || this.#owner.hasIdleOther) this.#fail(this.#tooLate(), { kind: 'undecided' });
  }

  /** Whether content has begun: nobody can take over. */
  get begun(): boolean {
    return this.#begun;
  }

  get replica(): Lease['replica'] {
    return this.#lease.replica;
  }

  /** Whether it was told to come later. */
  get limited(): boolean {
    return this.#outcome === 'limited';
  }

  /** Whether its failure was one that may yet turn out to be the request's own. */
  get blames(): boolean {
    return this.#outcome === 'faulted' || this.#outcome === 'limited';
  }

  /** Takes the blame back. */
  absolve(): void {
    this.#lease.absolve();
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
    this.#lease.heard();
    return this.#owner.data(chunk);
  }

  end(outcome: Outcome): void {
    if (this.#over) return;
    const { usage } = outcome;
    const outputTokens = usage === 'unknown' ? estimatedTokens(this.#outputBytes) : usage.outputTokens;
    const read = usage === 'unknown' ? undefined : readTokens(usage);
    const streamed = this.#streams ? { streamed: true, ...(read === undefined ? {} : { read }) } : {};
    this.#end({ kind: 'ok', outputTokens, ...streamed });
    this.#owner.ended(outcome);
  }

  fail(failure: Failure): void {
    if (this.#over) return;
    const own = ownFailure(this.#group.id, failure, this.#passed);
    const status = failure instanceof ToldFailure ? failure.status : null;
    this.#fail(own, leaseOutcome(own, this.#tenant, this.#epoch()), reachOf(failure), status);
  }

  #fail(
    failure: Failure,
    outcome: LeaseOutcome,
    reach: Reach = 'anyone',
    status: number | null = null,
  ): void {
    this.#end(outcome);
    this.#generation.cancel();
    this.#owner.failed(failure, reach, status);
  }

  #end(outcome: LeaseOutcome): void {
    this.#over = true;
    this.#outcome = outcome.kind;
    this.#clearTimer();
    this.#lease.end(outcome);
  }

  #tooLate(): RouterError {
    const seconds = this.#firstTokenMs / 1000;
    return new RouterError(
      'expert_timeout',
      `Expert '${this.#group.id}' gave no first token within ${seconds} s.`,
    );
  }

  #clearTimer(): void {
    if (this.#firstToken) clearTimeout(this.#firstToken);
    this.#firstToken = null;
  }
}

/** Tokens of the prompt that its cache did not have; undefined where the engine does not tell. */
function readTokens({ inputTokens, cachedTokens }: Usage): number | undefined {
  return cachedTokens === undefined ? undefined : inputTokens - cachedTokens;
}

/** About four bytes a token in English text; only ever used to weigh load, never reported. */
export function estimatedTokens(bytes: number): number {
  return Math.ceil(bytes / 4);
}
