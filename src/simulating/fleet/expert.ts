/** One expert of the fleet: its replicas, and what a gateway can see of its load and of theirs. */
import type { LoadSnapshot } from '../../deciding/routing/policy.ts';
import { chooseReplica, type ReplicaSnapshot } from '../../deciding/routing/replica.ts';
import { type StepCost, stepCost } from '../cost/step.ts';
import { KvCache } from '../engine/kv-cache.ts';
import { Replica } from '../engine/replica.ts';
import type { GenerationRequest } from '../engine/sequence.ts';
import { memoryBudget } from '../memory.ts';
import { type MeanLengths, maxConcurrent, steadyState } from '../steady-state.ts';
import type { SimulatedExpertSpec } from './scenario.ts';

/** A replica, and what a gateway knows of it. */
export interface FleetReplica extends ReplicaSnapshot {
  readonly engine: Replica;
  readonly expert: FleetExpert;
  outstandingTokens: number;
  /** When the event loop will look at it next; Infinity when idle. */
  wakeAt: number;
}

export class FleetExpert {
  readonly spec: SimulatedExpertSpec;
  readonly replicas: readonly FleetReplica[];
  readonly #capacity: number;
  readonly #tokensPerSecond: number;
  readonly #prefillTokensPerSecond: number;
  #present = 0;
  #outstandingTokens = 0;
  /** Taken when first asked for, and then until a request comes or goes. */
  #snapshot: LoadSnapshot | null = null;

  /** @param mean what the router expects a request to be, for its estimates of load */
  constructor(spec: SimulatedExpertSpec, mean: MeanLengths) {
    this.spec = spec;
    const { deployment, limits, admission, chunkedPrefill } = spec;
    const budget = memoryBudget(deployment, limits, mean.promptTokens + mean.outputTokens);
    const cost = stepCost(deployment);
    this.replicas = Array.from({ length: spec.replicas }, (_, index): FleetReplica => {
      const cache = new KvCache(budget.kvTokens, limits.blockTokens);
      const engine = new Replica(cost, { ...limits, admission, chunkedPrefill }, cache, spec.frontEnd);
      return {
        name: String(index),
        weight: 1,
        available: true,
        full: false,
        outstandingTokens: 0,
        engine,
        expert: this,
        wakeAt: Number.POSITIVE_INFINITY,
      };
    });
    this.#prefillTokensPerSecond = prefillRate(cost, mean.promptTokens);
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

  get load(): LoadSnapshot {
    this.#snapshot ??= this.#takeSnapshot();
    return this.#snapshot;
  }

  #takeSnapshot(): LoadSnapshot {
    // A gateway admits up to the capacity it knows and lets the others wait.
    const admitted = Math.min(this.#present, this.#capacity);
    return {
      inFlight: admitted,
      queued: this.#present - admitted,
      outstandingTokens: this.#outstandingTokens,
      prefillTokensPerSecond: this.#prefillTokensPerSecond,
      tokensPerSecond: this.#tokensPerSecond,
      capacity: this.#capacity,
      available: true,
    };
  }

  /** The replica that a gateway would give a request with this prefix key. */
  replicaFor(prefixKey: string | null): FleetReplica {
    return this.replicas[chooseReplica(this.replicas, prefixKey)!]!;
  }

  began(replica: FleetReplica, request: GenerationRequest): void {
    this.#count(replica, 1, request.promptTokens + request.outputTokens);
  }

  ended(replica: FleetReplica, request: GenerationRequest): void {
    this.#count(replica, -1, -(request.promptTokens + request.outputTokens));
  }

  #count(replica: FleetReplica, requests: number, tokens: number): void {
    this.#present += requests;
    this.#outstandingTokens += tokens;
    replica.outstandingTokens += tokens;
    this.#snapshot = null;
  }
}

/** Tokens a second of a prompt of this length that is read alone. */
function prefillRate(cost: StepCost, tokens: number): number {
  const read = Math.max(1, Math.round(tokens));
  const seconds = cost.seconds({
    decodeSequences: 0,
    decodeContext: 0,
    prefillTokens: read,
    prefillSequences: 1,
    prefillPairs: (read * (read + 1)) / 2,
    logitRows: 1,
  });
  return read / seconds;
}
