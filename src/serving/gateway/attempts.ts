/**
 * One request's tries, from the first of its ranking on. Until content has begun another replica or expert can take
 * over unnoticed; after it, whatever happens is told honestly.
 */
import { RouterError } from '../../core/errors.ts';
import type { AnswerSink, ExpertRequest, Generation, Outcome } from '../experts/expert.ts';
import type { Shape } from '../fleet/breakers.ts';
import type { ExpertGroup, Ticket } from '../fleet/group.ts';
import type { LeaseOutcome } from '../fleet/lease.ts';
import type { Lease, Replica } from '../fleet/replica.ts';
import { replicaLabel } from '../fleet/replica-label.ts';
import { EmptyAnswer } from '../reply/empty-answer.ts';
import { type Failure, type Reach, ToldFailure } from '../reply/failure.ts';
import { Try, type TryOwner } from './try.ts';

export interface AttemptPlan {
  /** The experts that may answer, best first; at least one that is not claimed. */
  readonly groups: readonly ExpertGroup[];
  /** Those that this sequence of tries, or another of the same request, has gone to; each is one sequence's own. */
  readonly claimed: ExpertGroup[];
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
  /** Milliseconds of silence after which a stream gets a sign of life, queued or not. */
  readonly heartbeatMs: number;
  readonly shape: Shape;
  /** Milliseconds since 1970. */
  epoch(): number;
  /** Whether one more try is affordable; it is spent by asking. */
  mayRetry(): boolean;
  readonly journey?: Journey | undefined;
}

/** Who answered, or told the error that is shown. */
export interface Answerer {
  readonly expert: string;
  /** The replica's name without its address; null where none was asked. */
  readonly replica: string | null;
  /** 1 unless others failed before. */
  readonly tries: number;
}

/** What the gateway wants to know of an answer besides its bytes. */
export interface AttemptSink extends Omit<AnswerSink, 'fail'> {
  /** Called before `head`. */
  served(by: Answerer): void;
  /** The stream has been silent: a proxy in between should see that it lives. May come again and again. */
  waiting(): void;
  /** @param by null where no expert told it */
  fail(failure: Failure, by: Answerer | null): void;
}

/** Told of the tries of one request as they happen. A hedged request has two at once. */
export interface Journey {
  /** A replica is asked. @param seconds what this has taken of its time, so far or in all */
  asked(who: Pick<Answerer, 'expert' | 'replica'>, seconds: () => number): TryStory;
}

/** What becomes of one try; nothing more is told of one that is given up. */
export interface TryStory {
  /** Headers that this try alone sends, in place of the request's own of these names. */
  readonly headers: Readonly<Record<string, string>>;
  answered(): void;
  /** @param error as `codeOf` gives it @param status with which its server refused; null where it did not */
  failed(error: string, status: number | null): void;
}

const UNHEARD: TryStory = { headers: {}, answered: () => {}, failed: () => {} };

/** A failure in a word: its code, or that an expert told it. */
export function codeOf(failure: unknown): string {
  return failure instanceof RouterError ? failure.code : 'expert_error';
}

const MOST_TRIES = 3;
const NONE: ReadonlySet<Replica> = new Set();

export class Attempts implements Generation, TryOwner {
  readonly #plan: AttemptPlan;
  readonly #sink: AttemptSink;
  #tried: ReadonlySet<Replica> = NONE;
  readonly #totalTimer: NodeJS.Timeout;
  readonly #heartbeat: NodeJS.Timeout | null;
  /** Halves of the heartbeat since anything was sent. */
  #silent = 0;
  /** Index of the group that is tried. */
  #group: number;
  readonly #own: ExpertGroup[] = [];
  /** Experts tried, by those that did not admit it too. */
  #tries = 0;
  #asked = 0;
  /** Waits for an expert's backoff to end. */
  #patient = false;
  /** The first that failed in a way that may be the request's own doing. */
  #blamed: Try | null = null;
  /** What to tell when those that might do better turn out not to. */
  #told: Failure | null = null;
  #ticket: Ticket | null = null;
  /** Null while the request is queued. */
  #try: Try | null = null;
  #story = UNHEARD;
  #over = false;

  constructor(plan: AttemptPlan, sink: AttemptSink) {
    this.#plan = plan;
    this.#sink = sink;
    this.#group = this.#openFrom(0)!;
    const seconds = plan.totalMs / 1000;
    this.#totalTimer = setTimeout(
      () => this.#giveUp(new RouterError('expert_timeout', `No whole answer within ${seconds} s.`)),
      plan.totalMs,
    );
    this.#heartbeat = plan.stream ? setInterval(() => this.#beat(), plan.heartbeatMs / 2) : null;
    this.#next();
  }

  resume(): void {
    this.#try?.resume();
  }

  cancel(): void {
    this.#end({ kind: 'undecided' });
  }

  began(status: number, headers: Readonly<Record<string, string>>): void {
    this.#story.answered();
    this.#sink.served(this.#answerer());
    this.#sink.head(status, headers);
  }

  data(chunk: Uint8Array): boolean {
    this.#silent = 0;
    return this.#sink.data(chunk);
  }

  ended(outcome: Outcome): void {
    this.#end({ kind: 'undecided' });
    this.#sink.end(outcome);
  }

  failed(failure: Failure, reach: Reach, status: number | null): void {
    const failed = this.#try!;
    this.#story.failed(codeOf(failure), status);
    this.#tried = new Set([...this.#tried, failed.replica]);
    if (failed.blames) this.#blame(failed);
    const wanted = failed.begun || reach === 'nobody' ? null : this.#following(reach);
    const next = this.#afford(wanted);
    if (next === null) {
      // Without a second opinion, nobody knows whose doing it was.
      if (wanted !== null) failed.absolve();
      this.#giveUp(failure);
    } else {
      this.#told ??= reach === 'anyone' ? null : failure;
      this.#goTo(next);
    }
  }

  /** An expert did not admit it, which costs nobody anything: the next may. */
  #refused(refusal: RouterError): void {
    const next = this.#openFrom(this.#group + 1);
    if (next !== null) {
      this.#goTo(next);
      return;
    }
    const open = this.#asked === 0 && !this.#patient ? (this.#soonest() ?? this.#onTrial()) : null;
    if (open === null) this.#giveUp(this.#told ?? refusal);
    else {
      this.#patient = true;
      this.#goTo(open);
    }
  }

  /** A request that fails at one server after another is the cause itself. */
  #blame(failed: Try): void {
    if (this.#blamed === null) {
      this.#blamed = failed;
      return;
    }
    this.#blamed.absolve();
    failed.absolve();
  }

  #goTo(group: number): void {
    this.#group = group;
    this.#try = null;
    this.#next();
  }

  #next(): void {
    const { groups, promptTokens, outputTokens, affinityKey, priority, tenant, shape } = this.#plan;
    const group = groups[this.#group]!;
    this.#plan.claimed.push(group);
    this.#own.push(group);
    this.#tries += 1;
    const admission = {
      tokens: promptTokens + outputTokens,
      affinityKey,
      priority,
      tenant,
      shape,
      tried: this.#tried,
      patient: this.#patient,
    };
    const tries = this.#tries;
    const ticket = group.admit(admission, (result) => {
      if (result instanceof RouterError) this.#refused(result);
      else this.#start(group, result);
    });
    // A group that refuses at once has already led to the next try, whose ticket counts.
    if (tries !== this.#tries || this.#over) return;
    this.#ticket = ticket;
  }

  #start(group: ExpertGroup, lease: Lease): void {
    const { tenant, journey, epoch } = this.#plan;
    this.#story =
      journey?.asked({ expert: group.id, replica: replicaLabel(group, lease.replica) }, () =>
        lease.seconds(),
      ) ?? UNHEARD;
    const request = withHeaders(this.#plan.request, this.#story.headers);
    const firstTokenMs = this.#plan.firstTokenMs(group);
    this.#asked += 1;
    this.#try = new Try({ group, lease, request, tenant, epoch, firstTokenMs }, this);
  }

  /** Where the next try would go: a sibling of the replica that failed, or the next expert; null for nowhere. */
  #following(reach: Reach): number | null {
    if (this.#asked >= MOST_TRIES) return null;
    if (reach === 'a larger window') return this.#larger();
    const { replicas } = this.#plan.groups[this.#group]!;
    const siblings = reach === 'anyone' ? replicas : [];
    if (siblings.some((replica) => replica.available && !this.#tried.has(replica))) return this.#group;
    return this.#openFrom(this.#group + 1);
  }

  /** The next expert whose window is larger than that of the one that failed, or not known; null where there is none. */
  #larger(): number | null {
    const { groups } = this.#plan;
    const least = groups[this.#group]!.offers.context ?? 0;
    const at = groups.findIndex(
      (group, at) =>
        at > this.#group && this.#mayTry(group) && (group.offers.context ?? Number.POSITIVE_INFINITY) > least,
    );
    return at < 0 ? null : at;
  }

  /**
   * The same where the budget has a try left; else an idle expert, to which one more request is no burden. A request
   * that was told to come later has cost little, and the second to tell it so is spared the next: that is free once.
   */
  #afford(next: number | null): number | null {
    if (next === null || (this.#try?.limited && this.#asked === 1) || this.#plan.mayRetry()) return next;
    return this.#idleFrom(next);
  }

  #idleFrom(index: number): number | null {
    const at = this.#plan.groups.findIndex(
      (group, at) => at >= index && at !== this.#group && this.#mayTry(group) && group.idle,
    );
    return at < 0 ? null : at;
  }

  get hasIdleOther(): boolean {
    const next = this.#following('anyone');
    if (next === null) return false;
    return (next === this.#group && this.#plan.groups[next]!.idle) || this.#idleFrom(next) !== null;
  }

  /** The first group from this index on that no other sequence has gone to; null where there is none. */
  #openFrom(index: number): number | null {
    const { groups } = this.#plan;
    for (let at = index; at < groups.length; at += 1) if (this.#mayTry(groups[at]!)) return at;
    return null;
  }

  #mayTry(group: ExpertGroup): boolean {
    return this.#own.includes(group) || !this.#plan.claimed.includes(group);
  }

  /** The expert whose backoff ends first; null where there is none. */
  #soonest(): number | null {
    const { groups, tenant } = this.#plan;
    const ends = groups.map(
      (group) => (this.#mayTry(group) ? group.backoff(tenant) : null) ?? Number.POSITIVE_INFINITY,
    );
    const least = Math.min(...ends);
    return Number.isFinite(least) ? ends.indexOf(least) : null;
  }

  /** The first expert of which only a small request says that it does not answer; null where there is none. */
  #onTrial(): number | null {
    const at = this.#plan.groups.findIndex((group) => this.#mayTry(group) && group.isOnTrial);
    return at < 0 ? null : at;
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
    const group = this.#plan.groups[this.#group]!;
    const replica = this.#try ? replicaLabel(group, this.#try.replica) : null;
    return { expert: group.id, replica, tries: this.#tries };
  }

  /** Nothing more is done or said. @param outcome of a try that is still under way */
  #end(outcome: LeaseOutcome): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#totalTimer);
    if (this.#heartbeat) clearInterval(this.#heartbeat);
    this.#ticket?.leave();
    this.#try?.abandon(outcome);
  }

  /** A second half without anything ends a whole one: no clock is read for each piece. */
  #beat(): void {
    this.#silent += 1;
    if (this.#silent < 2) return;
    this.#silent = 0;
    this.#sink.waiting();
  }
}

function withHeaders(request: ExpertRequest, more: Readonly<Record<string, string>>): ExpertRequest {
  for (const _ in more) return { ...request, headers: { ...request.headers, ...more } };
  return request;
}
