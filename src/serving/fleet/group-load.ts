/**
 * The load of an expert and of its replicas, as policies compare them: our own requests, and others' as far as engines
 * report them.
 */
import type { LoadSnapshot } from '../../deciding/routing/policy.ts';
import type { ReplicaSnapshot } from '../../deciding/routing/replica.ts';
import type { Replica } from './replica.ts';

/** What of its surroundings an expert's load depends on. */
export interface Surroundings {
  /** Requests that wait for it. */
  readonly waiting: number;
  /** Ours among all its requests; 1 counts of others what was read and supposes nothing since. */
  readonly share: number;
  /** Of the prompts of conversations it has answered before; 1 until its engine tells. */
  readonly cachedShare: number;
  /** As of `LoadSnapshot`. */
  readonly startsIn: number | undefined;
}

/**
 * Of a whole expert, over all processes. Every figure is computed when it is read: a decision reads few of them. Read
 * again later they tell of later, so whoever keeps one copies it.
 */
export class GroupLoad implements LoadSnapshot {
  readonly #replicas: readonly Replica[];
  readonly #around: Surroundings;

  constructor(replicas: readonly Replica[], around: Surroundings) {
    this.#replicas = replicas;
    this.#around = around;
  }

  get inFlight(): number {
    const { share } = this.#around;
    let sum = 0;
    for (const replica of this.#replicas) sum += replica.inFlight + replica.others(share);
    return sum;
  }

  get queued(): number {
    return this.#around.waiting;
  }

  get outstandingTokens(): number {
    const { share } = this.#around;
    let sum = 0;
    for (const replica of this.#replicas) sum += tokensOf(replica, share);
    return sum;
  }

  get tokensPerSecond(): number {
    const { share } = this.#around;
    let sum = 0;
    for (const replica of this.#replicas) if (replica.available) sum += rateOf(replica, share);
    return sum;
  }

  /** Of its slowest replica; 0 while none of any expert has been measured. */
  get prefillTokensPerSecond(): number {
    let least = 0;
    for (const { prefill } of this.#replicas) {
      const own = prefill.perSecond;
      if (own > 0 && (least === 0 || own < least)) least = own;
    }
    return least;
  }

  get cachedShare(): number {
    return this.#around.cachedShare;
  }

  get capacity(): number {
    let sum = 0;
    for (const replica of this.#replicas) if (replica.available) sum += replica.slots;
    return sum;
  }

  /** The least of its replicas, unless one needs not load it. */
  get loadsIn(): number | undefined {
    let least: number | undefined;
    for (const replica of this.#replicas) {
      if (!replica.available) continue;
      if (!replica.unloaded) return undefined;
      least = Math.min(least ?? Number.POSITIVE_INFINITY, replica.adapterMs / 1000);
    }
    return least;
  }

  get startsIn(): number | undefined {
    return this.#around.startsIn;
  }

  get available(): boolean {
    return this.#replicas.some(isAvailable);
  }
}

const isAvailable = (replica: Replica): boolean => replica.available && !replica.isSuspected;

export function snapshotOf(replica: Replica, share: number): ReplicaSnapshot {
  const { name, weight, available, full, unloaded } = replica;
  return { name, weight, available, full, unloaded, outstandingTokens: tokensOf(replica, share) };
}

/** Others' requests count as tokens too: as many each as ours have on average. */
function tokensOf(replica: Replica, share: number): number {
  return replica.outstandingTokens + replica.others(share) * replica.meanTokens;
}

/** We see only our own tokens finish; others' finish beside them, in proportion to their requests. */
function rateOf(replica: Replica, share: number): number {
  return replica.tokensPerSecond * (1 + replica.others(share) / Math.max(1, replica.inFlight));
}
