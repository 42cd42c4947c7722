/**
 * One request's tries, from the first of its ranking on. Until a first byte has come another replica or expert can
 * take over unnoticed; after it, whatever happens is told honestly. It knows neither HTTP nor clusters.
 */
import { RouterError } from '../../core/errors.ts';
import type { ExpertRequest, Generation, Outcome, ReplySink } from '../experts/expert.ts';
import type { ExpertGroup, Ticket } from '../fleet/group.ts';
import type { Lease, LeaseOutcome, Replica } from '../fleet/replica.ts';
import { type Form, Holdback, type Judgement } from './holdback.ts';

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
  /** Milliseconds from a stream's start to its first byte; then the next takes over. */
  firstTokenMs(group: ExpertGroup): number;
  /** Milliseconds for the whole request, waiting and all tries included. */
  readonly totalMs: number;
  /** Milliseconds between signs of life to a stream that waits in line. */
  readonly heartbeatMs: number;
  /** Whether one more try is affordable; it is spent by asking. */
  mayRetry(): boolean;
}

/** What the gateway wants to know of a reply besides its bytes. */
export interface AttemptSink extends ReplySink {
  /** Called before `head`: who answers, at which try. */
  served(expert: string, tries: number): void;
  /** The stream waits in line: a proxy in between should see that it lives. May come again and again, before `served`. */
  waiting(): void;
}

/** Statuses that say "not here, not now" and not "your request is wrong". */
const RETRYABLE_STATUS = new Set([408, 429, 500, 502, 503, 504, 529]);
const MOST_TRIES = 3;

export class Attempts implements Generation {
  readonly #plan: AttemptPlan;
  readonly #sink: AttemptSink;
  readonly #tried = new Set<Replica>();
  readonly #totalTimer: NodeJS.Timeout;
  #firstTokenTimer: NodeJS.Timeout | null = null;
  #heartbeat: NodeJS.Timeout | null = null;
  #group = 0;
  #tries = 0;
  #ticket: Ticket | null = null;
  #lease: Lease | null = null;
  #generation: Generation | null = null;
  #head: { status: number; headers: Readonly<Record<string, string>> } | null = null;
  #held: Holdback | null = null;
  #state: 'trying' | 'answering' | 'over' = 'trying';
  #outputBytes = 0;

  constructor(plan: AttemptPlan, sink: AttemptSink) {
    this.#plan = plan;
    this.#sink = sink;
    const seconds = plan.totalMs / 1000;
    this.#totalTimer = setTimeout(
      () => this.#giveUp(new RouterError('expert_timeout', `No whole answer within ${seconds} s.`)),
      plan.totalMs,
    );
    this.#try();
  }

  resume(): void {
    this.#generation?.resume();
  }

  cancel(): void {
    if (this.#state === 'over') return;
    this.#over();
    this.#ticket?.leave();
    this.#abandon({ kind: 'undecided' });
  }

  #try(): void {
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
    if (this.#plan.stream)
      this.#heartbeat ??= setInterval(() => this.#sink.waiting(), this.#plan.heartbeatMs);
    this.#ticket = group.admit(admission, (result) => {
      if (result instanceof RouterError) this.#failed(result);
      else this.#start(group, result);
    });
  }

  #start(group: ExpertGroup, lease: Lease): void {
    this.#lease = lease;
    this.#stopHeartbeat();
    if (this.#plan.stream) {
      const limit = this.#plan.firstTokenMs(group);
      this.#firstTokenTimer = setTimeout(() => {
        this.#abandon({ kind: 'failed' });
        this.#failed(
          new RouterError(
            'expert_timeout',
            `Expert '${group.id}' gave no first token within ${limit / 1000} s.`,
          ),
        );
      }, limit);
    }
    const tries = this.#tries;
    const mine = (): boolean => this.#state !== 'over' && tries === this.#tries;
    this.#generation = lease.replica.expert.generate(this.#plan.request, {
      head: (status, headers) => mine() && this.#onHead(status, headers),
      data: (chunk) => !mine() || this.#onData(group, chunk),
      end: (outcome) => mine() && this.#onEnd(group, outcome),
      fail: (error) => mine() && this.#onFail(error),
    });
  }

  #onHead(status: number, headers: Readonly<Record<string, string>>): void {
    if (RETRYABLE_STATUS.has(status) && this.#nextGroup() !== null) {
      const expert = this.#lease!.replica.expert.id;
      this.#head = { status, headers };
      this.#abandon(this.#failedOutcome());
      this.#failed(new RouterError('expert_failed', `Expert '${expert}' answered with status ${status}.`));
      return;
    }
    const wrong = wrongHead(status, headers);
    if (wrong !== null) {
      this.#disqualify(wrong);
      return;
    }
    this.#head = { status, headers };
    this.#held = status < 300 ? new Holdback(this.#form(headers)) : null;
  }

  #form(headers: Readonly<Record<string, string>>): Form {
    if ((headers['content-encoding'] ?? 'identity') !== 'identity') return 'encoded';
    return this.#plan.stream ? 'stream' : 'whole';
  }

  /** The server's failure, with the rest it asks for. */
  #failedOutcome(): LeaseOutcome {
    const retryAfterMs = retryAfter(this.#head?.headers['retry-after']);
    return { kind: 'failed', ...(retryAfterMs === null ? {} : { retryAfterMs }) };
  }

  #onData(group: ExpertGroup, chunk: Uint8Array): boolean {
    if (this.#state === 'trying' && this.#held) {
      const judgement = this.#held.push(chunk);
      return judgement === 'wait' || this.#judged(group, judgement);
    }
    this.#held?.watch(chunk);
    this.#answer(group);
    return this.#pass(chunk);
  }

  #onEnd(group: ExpertGroup, outcome: Outcome): void {
    const judgement = this.#held?.end() ?? 'pass';
    if (typeof judgement === 'object') {
      if (this.#state === 'trying') this.#disqualify(judgement.wrong);
      else this.#brokeOff(judgement.wrong);
      return;
    }
    if (this.#state === 'trying' && this.#held) this.#judged(group, judgement);
    this.#answer(group);
    const status = this.#head!.status;
    const outputTokens =
      outcome.usage === 'unknown' ? estimatedTokens(this.#outputBytes) : outcome.usage.completion_tokens;
    this.#over();
    this.#lease!.end(status >= 500 || status === 429 ? this.#failedOutcome() : { kind: 'ok', outputTokens });
    this.#sink.end(outcome);
  }

  /** What was held back is an answer, or it is not. @returns whether the sink has room */
  #judged(group: ExpertGroup, judgement: Judgement): boolean {
    if (typeof judgement === 'object') {
      this.#disqualify(judgement.wrong);
      return true;
    }
    this.#answer(group);
    return this.#held!.take().reduce((room, chunk) => this.#pass(chunk) && room, true);
  }

  #pass(chunk: Uint8Array): boolean {
    this.#outputBytes += chunk.length;
    return this.#sink.data(chunk);
  }

  /** Nothing of this reply was shown, and nothing of it will be. */
  #disqualify(wrong: string): void {
    const { id } = this.#lease!.replica.expert;
    this.#abandon({ kind: 'failed' });
    this.#failed(new RouterError('expert_failed', `Expert '${id}' ${wrong}.`));
  }

  /** What was shown of this reply turned out to be a part of one. */
  #brokeOff(wrong: string): void {
    const { id } = this.#lease!.replica.expert;
    this.#onFail(new RouterError('expert_cut_stream', `Expert '${id}' ${wrong}.`));
  }

  #onFail(error: RouterError): void {
    const away = error.code === 'expert_unreachable';
    this.#lease!.end(error.kind.retryable ? { kind: 'failed', away } : { kind: 'undecided' });
    if (this.#state === 'trying') this.#failed(error);
    else this.#giveUp(error);
  }

  /** The first byte: from here on this expert's answer is the answer. */
  #answer(group: ExpertGroup): void {
    if (this.#state === 'answering') return;
    this.#state = 'answering';
    this.#clearFirstTokenTimer();
    if (this.#head!.status < 300) this.#lease!.answering();
    this.#sink.served(group.id, this.#tries);
    this.#sink.head(this.#head!.status, this.#head!.headers);
  }

  /** A try came to nothing before its first byte. */
  #failed(error: RouterError): void {
    this.#clearFirstTokenTimer();
    if (this.#lease) this.#tried.add(this.#lease.replica);
    const next = this.#nextGroup();
    if (!error.kind.retryable || next === null || !this.#plan.mayRetry()) {
      this.#giveUp(error);
      return;
    }
    this.#group = next;
    this.#lease = null;
    this.#head = null;
    this.#held = null;
    this.#try();
  }

  /** Where the next try would go: a sibling of the replica that failed, else the next expert; null for nowhere. */
  #nextGroup(): number | null {
    if (this.#tries >= MOST_TRIES) return null;
    const failed = this.#lease?.replica;
    // An expert that refused to admit has said all about its replicas.
    const siblings = failed ? this.#plan.groups[this.#group]!.replicas : [];
    if (siblings.some((replica) => replica !== failed && replica.available && !this.#tried.has(replica)))
      return this.#group;
    return this.#group + 1 < this.#plan.groups.length ? this.#group + 1 : null;
  }

  #giveUp(error: RouterError): void {
    if (this.#state === 'over') return;
    this.#over();
    this.#ticket?.leave();
    this.#abandon({ kind: 'failed' });
    this.#sink.fail(error);
  }

  /** Stops the present try, whatever it is at. */
  #abandon(outcome: LeaseOutcome): void {
    this.#generation?.cancel();
    this.#generation = null;
    this.#lease?.end(outcome);
  }

  #over(): void {
    this.#state = 'over';
    clearTimeout(this.#totalTimer);
    this.#clearFirstTokenTimer();
    this.#stopHeartbeat();
  }

  #stopHeartbeat(): void {
    if (this.#heartbeat) clearInterval(this.#heartbeat);
    this.#heartbeat = null;
  }

  #clearFirstTokenTimer(): void {
    if (this.#firstTokenTimer) clearTimeout(this.#firstTokenTimer);
    this.#firstTokenTimer = null;
  }
}

/** Why no answer can follow such a head, or null. */
function wrongHead(status: number, headers: Readonly<Record<string, string>>): string | null {
  // The client's key was good here: this is about ours, and another expert's may be good.
  if (status === 401) return 'refuses the key that the config gives it (status 401)';
  if (status < 200 || status === 204 || status === 205 || (status >= 300 && status < 400))
    return `answered with status ${status}, which holds no answer`;
  if (status < 300 && headers['content-type']?.startsWith('text/html'))
    return 'answered with a web page: its url does not lead to an API';
  return null;
}

/** About four bytes a token in English text; only ever used to weigh load, never reported. */
export function estimatedTokens(bytes: number): number {
  return Math.ceil(bytes / 4);
}

/** Milliseconds from a Retry-After in seconds; null for none or a date. */
function retryAfter(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,5}$/.test(header) ? Number(header) * 1000 : null;
}
