/** What a request asks of an expert, what the expert goes by, and what comes of it. */
import type { Expert } from '../experts/expert.ts';
import type { Shape } from './breakers.ts';
import type { ColdStart } from './cold-start.ts';
import type { Waiting } from './fair-queue.ts';
import type { Declared } from './known.ts';
import type { Replica } from './replica.ts';

export interface Admission extends Waiting {
  /** Estimate of prompt and expected answer, in tokens. */
  readonly tokens: number;
  /** Equal for requests that share a prefix; null for none. */
  readonly affinityKey: string | null;
  /** Replicas that failed this request already. */
  readonly tried: ReadonlySet<Replica>;
  readonly shape: Shape;
  /** There is nowhere else to go: a backoff that ends in time is waited for, and who is on trial is asked. */
  readonly patient: boolean;
}

export interface GroupOptions {
  readonly queueSize: number;
  /** Milliseconds a request may wait in the queue. */
  readonly queueTimeout: number;
  /** Milliseconds that never run backwards; the system's when absent. */
  readonly now?: () => number;
  /** What the config says of its model. */
  readonly declared?: Declared;
  /** Speaks for it while it has no replica: what its dialects are. It is never asked anything. */
  readonly face?: Expert | undefined;
  /** Of one that is started when it is needed; absent for one that nobody starts. */
  readonly cold?: Cold | undefined;
}

export interface Cold {
  /** Milliseconds that a request waits for its start; one that takes longer has failed. */
  readonly limitMs: number;
  readonly start: ColdStart;
}

/** A request on its way to a lease. `leave` takes it out of the queue; harmless afterwards. */
export interface Ticket {
  leave(): void;
}
