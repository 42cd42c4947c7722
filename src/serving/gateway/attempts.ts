/**
 * One request's tries, from the first of its ranking on. Until content has begun another replica or expert can take
 * over unnoticed; after it, whatever happens is told honestly.
 */
import { RouterError } from '../../core/errors.ts';
import type { AnswerSink, ExpertRequest, Generation, Outcome } from '../experts/expert.ts';
import type { ExpertGroup, Ticket } from '../fleet/group.ts';
import type { Lease, LeaseOutcome, Replica } from '../fleet/replica.ts';
import { EmptyAnswer, type Failure, isRetryable, ToldFailure } from '../reply/failure.ts';
import { Try, type TryOwner } from './try.ts';

export interface AttemptPlan {
  /** The experts that may answer, best first; at least one. */
  readonly groups: readonly ExpertGroup[];
  readonly request: ExpertRequest;
  readonly stream: boolean;
  /** Estimates, in tokens. */
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly affinityKey: string | null;
  readonly priority: number;
  readonly tenant: string;
  /** Milliseconds from a stream's start to its first content; then the next takes over. */
  firstTokenMs(group: ExpertGroup): number;
  /** Milliseconds for the whole request, waiting and all tries included. */
  readonly totalMs: number;
  /** Milliseconds between signs of life to a stream that is queued. */
  readonly heartbeatMs: number;
  /** Whether one more try is affordable; it is spent by asking. */
  mayRetry(): boolean;
}

/** Who answered, or told the error that is shown. */
export interface Answerer {
  readonly expert: string;
  /** 1 unless others failed before. */
  readonly tries: number;
}

/** What the gateway wants to know of an answer besides its bytes. */
export interface AttemptSink extends Omit<AnswerSink, 'fail'> {
  /** Called before `head`. */
  served(by: Answerer): void;
  /** The stream is queued: a proxy in between should see that it lives. May come again and again, before `served`. */
  waiting(): void;
  /** @param by null where no expert told it */
  fail(failure: Failure, by: Answerer | null): void;
}

const MOST_TRIES = 3;

export class Attempts implements Generation, TryOwner {
  readonly #plan: AttemptPlan;
  readonly #sink: AttemptSink;
  readonly #tried = new Set<Replica>();
  readonly #totalTimer: NodeJS.Timeout;
  #heartbeat: NodeJS.Timeout | null = null;
  #group = 0;
  #tries = 0;
  #ticket: Ticket | null = null;
  /** Null while the request is queued. */
  #try: Try | null = null;
  #over = false;

  constructor(plan: AttemptPlan, sink: AttemptSink) {
    this.#plan = plan;
    this.#sink = sink;
    const seconds = plan.totalMs / 1000;
    this.#totalTimer = setTimeout(
      () => this.#giveUp(new RouterError('expert_timeout', `No whole answer within ${seconds} s.`)),
      plan.totalMs,
    );
    this.#next();
  }

  resume(): void {
    this.#try?.resume();
  }

  cancel(): void {
    this.#end({ kind: 'undecided' });
  }

  began(status: number, headers: Readonly<Record<string, string>>): void {
    this.#sink.served(this.#answerer());
    this.#sink.head(status, headers);
  }

  data(chunk: Uint8Array): boolean {
    return this.#sink.data(chunk);
  }

  ended(outcome: Outcome): void {
    this.#end({ kind: 'undecided' });
    this.#sink.end(outcome);
  }

  /** The present try, or its way to a lease, came to nothing. */
  failed(failure: Failure): void {
    const begun = this.#try?.begun ?? false;
    if (this.#try) this.#tried.add(this.#try.replica);
    const next = begun ? null : this.#nextGroup();
    if (!isRetryable(failure) || next === null || !this.#plan.mayRetry()) {
      this.#giveUp(failure);
      return;
    }
    this.#group = next;
    this.#try = null;
    this.#next();
  }

  #next(): void {
    const { groups, promptTokens, outputTokens, affinityKey, priority, tenant } = this.#plan;
    const group = groups[this.#group]!;
    this.#tries += 1;
    const admission = {
      tokens: promptTokens + outputTokens,
      affinityKey,
      priority,
      tenant,
      tried: this.#tried,
    };
    const tries = this.#tries;
    const ticket = group.admit(admission, (result) => {
      if (result instanceof RouterError) this.failed(result);
      else this.#start(group, result);
    });
    // A group that refuses at once has already led to the next try, whose ticket counts.
    if (tries !== this.#tries || this.#over) return;
    this.#ticket = ticket;
    if (this.#plan.stream && this.#try === null)
      this.#heartbeat ??= setInterval(() => this.#sink.waiting(), this.#plan.heartbeatMs);
  }

  #start(group: ExpertGroup, lease: Lease): void {
    this.#stopHeartbeat();
    const { request, stream } = this.#plan;
    const firstTokenMs = stream ? this.#plan.firstTokenMs(group) : null;
    this.#try = new Try({ group, lease, request, firstTokenMs }, this);
  }

  /** Where the next try would go: a sibling of the replica that failed, else the next expert; null for nowhere. */
  #nextGroup(): number | null {
    if (this.#tries >= MOST_TRIES) return null;
    const failed = this.#try?.replica;
    // An expert that refused to admit has said all about its replicas.
    const siblings = failed ? this.#plan.groups[this.#group]!.replicas : [];
    if (siblings.some((replica) => replica !== failed && replica.available && !this.#tried.has(replica)))
      return this.#group;
    return this.#group + 1 < this.#plan.groups.length ? this.#group + 1 : null;
  }

  #giveUp(failure: Failure): void {
    if (this.#over) return;
    const by = failure instanceof ToldFailure ? this.#answerer() : null;
    this.#end({ kind: 'failed' });
    if (failure instanceof EmptyAnswer) {
      this.#sink.served(this.#answerer());
      failure.show(this.#sink);
      return;
    }
    this.#sink.fail(failure, by);
  }

  #answerer(): Answerer {
    return { expert: this.#plan.groups[this.#group]!.id, tries: this.#tries };
  }

  /** Nothing more is done or said. @param outcome of a try that is still under way */
  #end(outcome: LeaseOutcome): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#totalTimer);
    this.#stopHeartbeat();
    this.#ticket?.leave();
    this.#try?.abandon(outcome);
  }

  #stopHeartbeat(): void {
    if (this.#heartbeat) clearInterval(this.#heartbeat);
    this.#heartbeat = null;
  }
}
