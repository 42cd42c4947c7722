/** One expert of the fleet: its replicas, and what a gateway can see of its load and of theirs. */
import type { LoadSnapshot } from '../../deciding/routing/policy.ts';
import { chooseAlike, hash, type ReplicaSnapshot } from '../../deciding/routing/replica.ts';
import type { StepCost } from '../cost/step.ts';
import { KvCache } from '../engine/kv-cache.ts';
import { Replica } from '../engine/replica.ts';
import type { GenerationRequest } from '../engine/sequence.ts';
import { memoryBudget } from '../memory.ts';
import { type MeanLengths, maxConcurrent, steadyState } from '../steady-state.ts';
import type { SimulatedExpertSpec } from './scenario.ts';

/** One engine, and its place among its expert's. */
export interface FleetReplica {
  readonly engine: Replica;
  readonly expert: FleetExpert;
  readonly index: number;
}

export class FleetExpert {
  readonly spec: SimulatedExpertSpec;
  /** Its place in the scenario. */
  readonly index: number;
  /** Number of its first replica among those of the whole fleet. */
  readonly firstReplica: number;
  readonly replicas: readonly FleetReplica[];
  /** What a gateway knows of it now: changes with every request that comes or goes. */
  readonly load: LoadSnapshot;
  readonly #load: { -readonly [Field in keyof LoadSnapshot]: LoadSnapshot[Field] };
  #present = 0;
  /** `hash` of each replica's name, and what it has outstanding. */
  readonly #names: Uint32Array;
  readonly #outstanding: Float64Array;

  /**
   * @param mean what the router expects a request to be, for its estimates of load
   * @param cost of a step of its deployment
   */
  constructor(
    spec: SimulatedExpertSpec,
    mean: MeanLengths,
    cost: StepCost,
    index: number,
    firstReplica: number,
  ) {
    this.spec = spec;
    this.index = index;
    this.firstReplica = firstReplica;
    const { deployment, limits, admission, chunkedPrefill } = spec;
    const budget = memoryBudget(deployment, limits, mean.promptTokens + mean.outputTokens);
    const schedulerLimits = { ...limits, admission, chunkedPrefill };
    this.replicas = Array.from({ length: spec.replicas }, (_, index): FleetReplica => {
      const cache = new KvCache(budget.kvTokens, limits.blockTokens);
      const engine = new Replica(cost, schedulerLimits, cache, spec.frontEnd, spec.slots);
      return { engine, expert: this, index };
    });
    this.#names = Uint32Array.from(this.replicas, ({ index }) => hash(String(index)));
    this.#outstanding = new Float64Array(spec.replicas);
    const perReplica = Math.min(spec.slots ?? Number.POSITIVE_INFINITY, maxConcurrent(budget, limits, mean));
    const { tokensPerSecond } = steadyState(deployment, limits, mean, perReplica);
    // Outstanding tokens count prompts too, so the rate at which they are worked off must as well.
    const withPrompts = (mean.promptTokens + mean.outputTokens) / mean.outputTokens;
    this.#load = {
      inFlight: 0,
      queued: 0,
      outstandingTokens: 0,
      prefillTokensPerSecond: prefillRate(cost, mean.promptTokens),
      tokensPerSecond: spec.replicas * tokensPerSecond * withPrompts,
      capacity: perReplica * spec.replicas,
      available: true,
    };
    this.load = this.#load;
  }

  /** GPUs over all replicas. */
  get gpus(): number {
    return this.spec.replicas * this.spec.deployment.tensorParallel;
  }

  /** What a gateway would choose a replica from. */
  snapshots(): readonly ReplicaSnapshot[] {
    return this.replicas.map(({ index }) => ({
      name: String(index),
      outstandingTokens: this.#outstanding[index]!,
      weight: 1,
      available: true,
      full: false,
    }));
  }

  /** The replica that a gateway would give a request with this prefix key. */
  replicaFor(prefixKey: string): FleetReplica {
    if (this.replicas.length === 1) return this.replicas[0]!;
    return this.replicas[
      chooseAlike(this.#names, this.#outstanding, this.load.outstandingTokens, prefixKey)!
    ]!;
  }

  began(replica: FleetReplica, request: GenerationRequest): void {
    this.#count(replica, 1, request.promptTokens + request.outputTokens);
  }

  ended(replica: FleetReplica, request: GenerationRequest): void {
    this.#count(replica, -1, -(request.promptTokens + request.outputTokens));
  }

  #count(replica: FleetReplica, requests: number, tokens: number): void {
    this.#present += requests;
    // A gateway admits up to the capacity it knows and lets the others wait.
    const load = this.#load;
    load.inFlight = Math.min(this.#present, load.capacity);
    load.queued = this.#present - load.inFlight;
    load.outstandingTokens += tokens;
    this.#outstanding[replica.index]! += tokens;
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
