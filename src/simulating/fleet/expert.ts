/**
 * One expert of the fleet: its replicas, and what a router can see of its load.
 * It knows which replica is least busy, and nothing of policies or users.
 */
import { MinHeap } from '../../core/heap.ts';
import type { Candidate, LoadSnapshot } from '../../deciding/routing/policy.ts';
import { stepCost } from '../cost/step.ts';
import { KvCache } from '../engine/kv-cache.ts';
import { Replica } from '../engine/replica.ts';
import type { GenerationRequest } from '../engine/sequence.ts';
import { memoryBudget } from '../memory.ts';
import { type MeanLengths, maxConcurrent, steadyState } from '../steady-state.ts';
import type { SimulatedExpertSpec } from './scenario.ts';

/** A replica with the counters a gateway keeps about it. */
export interface FleetReplica {
  readonly engine: Replica;
  readonly expert: FleetExpert;
  inFlight: number;
  /** When the event loop will look at it next; Infinity when idle. */
  wakeAt: number;
}

/** Entries a replica may have in the order by load before the order is made anew. */
const STALE = 8;

export class FleetExpert {
  readonly spec: SimulatedExpertSpec;
  readonly replicas: readonly FleetReplica[];
  readonly #capacity: number;
  readonly #tokensPerSecond: number;
  #byLoad = new MinHeap<FleetReplica>();
  #present = 0;
  #outstandingTokens = 0;

  /** @param mean what the router expects a request to be, for its estimates of load */
  constructor(spec: SimulatedExpertSpec, mean: MeanLengths) {
    this.spec = spec;
    const { deployment, limits, admission, chunkedPrefill } = spec;
    const budget = memoryBudget(deployment, limits, mean.promptTokens + mean.outputTokens);
    const cost = stepCost(deployment);
    this.replicas = Array.from({ length: spec.replicas }, (): FleetReplica => {
      const cache = new KvCache(budget.kvTokens, limits.blockTokens);
      const engine = new Replica(cost, { ...limits, admission, chunkedPrefill }, cache, spec.frontEnd);
      return { engine, expert: this, inFlight: 0, wakeAt: Number.POSITIVE_INFINITY };
    });
    for (const replica of this.replicas) this.#byLoad.push(0, replica);
    const perReplica = Math.min(spec.slots ?? Number.POSITIVE_INFINITY, maxConcurrent(budget, limits, mean));
    this.#capacity = perReplica * spec.replicas;
    const { tokensPerSecond } = steadyState(deployment, limits, mean, perReplica);
    // Outstanding tokens count prompts too, so the rate at which they are worked off must as well.
    const withPrompts = (mean.promptTokens + mean.outputTokens) / mean.outputTokens;
    this.#tokensPerSecond = spec.replicas * tokensPerSecond * withPrompts;
  }

  /** GPUs over all replicas. */
  get gpus(): number {
    return this.spec.replicas * this.spec.deployment.tensorParallel;
  }

  candidate(affinity: number): Candidate {
    // A gateway admits up to the capacity it knows and lets the others wait.
    const admitted = Math.min(this.#present, this.#capacity);
    const load: LoadSnapshot = {
      inFlight: admitted,
      queued: this.#present - admitted,
      outstandingTokens: this.#outstandingTokens,
      tokensPerSecond: this.#tokensPerSecond,
      capacity: this.#capacity,
      available: true,
    };
    return { id: this.spec.id, affinity, load };
  }

  /** The replica with the fewest requests; of equals the one that has had so few for longest. */
  leastBusy(): FleetReplica {
    // Entries of replicas that have moved on since are dropped when they come up.
    while (this.#byLoad.minKey !== this.#byLoad.peek()!.inFlight) this.#byLoad.pop();
    return this.#byLoad.peek()!;
  }

  #moved(replica: FleetReplica, change: 1 | -1): void {
    replica.inFlight += change;
    if (this.#byLoad.size > STALE * this.replicas.length) {
      this.#byLoad = new MinHeap();
      for (const one of this.replicas) if (one !== replica) this.#byLoad.push(one.inFlight, one);
    }
    this.#byLoad.push(replica.inFlight, replica);
  }

  began(replica: FleetReplica, request: GenerationRequest): void {
    this.#moved(replica, 1);
    this.#present += 1;
    this.#outstandingTokens += request.promptTokens + request.outputTokens;
  }

  ended(replica: FleetReplica, request: GenerationRequest): void {
    this.#moved(replica, -1);
    this.#present -= 1;
    this.#outstandingTokens -= request.promptTokens + request.outputTokens;
  }
}
