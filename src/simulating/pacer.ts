/**
 * A simulated engine that somebody else keeps time for: submit requests, ask how many tokens each has by now and when
 * to ask again. It paces an emulated expert in real time.
 */
import { stepCost } from './cost/step.ts';
import { type DeploymentNames, deployment, describeDeployment } from './deployment.ts';
import { KvCache } from './engine/kv-cache.ts';
import { Replica, type ReplicaListener } from './engine/replica.ts';
import { requireFit } from './fit.ts';
import { DEFAULT_LIMITS, type EngineLimits } from './memory.ts';

export interface PacedRequest {
  readonly id: number;
  readonly promptTokens: number;
  /** Tokens it will generate if nobody cancels it. */
  readonly outputTokens: number;
}

/** Tokens of one request that became due since the last call. */
export interface DueTokens {
  readonly id: number;
  /** Tokens due in all, from the first on. */
  readonly generated: number;
  readonly finished: boolean;
}

/** The engine as its metrics would tell it. */
export interface PacerState {
  readonly running: number;
  readonly waiting: number;
  /** Tokens whose blocks are taken, of `kvCapacity`. */
  readonly kvTokens: number;
  readonly kvCapacity: number;
}

export class Pacer {
  /** `llama-3.1-8b fp8, 1 x h100`. */
  readonly description: string;
  /** Seconds by which everything a request is answered with lags behind the steps; whoever keeps time adds it. */
  readonly lagSeconds: number;
  readonly #replica: Replica;
  readonly #cache: KvCache;
  /** Requests that may have tokens due: id → tokens told of so far. */
  readonly #told = new Map<number, number>();
  readonly #outputs = new Map<number, number>();
  readonly #finished = new Set<number>();
  readonly #listener: ReplicaListener = {
    firstToken: () => {},
    finished: ({ id }) => void this.#finished.add(id),
  };

  /** @throws {UserError} for an unknown or impossible deployment, or one that does not fit its GPUs. */
  constructor(names: DeploymentNames, limits: EngineLimits = DEFAULT_LIMITS) {
    const d = deployment(names);
    const { kvTokens } = requireFit(d, limits, limits.blockTokens);
    const admission = d.engine.startsWith('tensorrt') ? 'guaranteed-no-evict' : 'optimistic';
    const cost = stepCost(d);
    this.#cache = new KvCache(kvTokens, limits.blockTokens);
    this.#replica = new Replica(cost, { ...limits, admission, chunkedPrefill: true }, this.#cache);
    this.lagSeconds = cost.perRequest;
    this.description = describeDeployment(d);
  }

  /** Requests in the engine, waiting ones included. */
  get present(): number {
    return this.#told.size;
  }

  state(): PacerState {
    const { blockTokens, capacity, used } = this.#cache;
    const { running, waiting } = this.#replica;
    return { running, waiting, kvTokens: used * blockTokens, kvCapacity: capacity * blockTokens };
  }

  /** Whether the request fits an engine that is otherwise empty. */
  canEverRun(request: PacedRequest): boolean {
    return this.#replica.canEverRun(request);
  }

  /** False when the request could never run here; nothing is submitted then. `now` in seconds, never going back. */
  submit(request: PacedRequest, now: number): boolean {
    if (!this.#replica.canEverRun(request)) return false;
    this.#advance(now);
    this.#told.set(request.id, 0);
    this.#outputs.set(request.id, request.outputTokens);
    this.#replica.submit(request, now);
    return true;
  }

  cancel(id: number, now: number): void {
    this.#advance(now);
    this.#replica.cancel(id, now);
    this.#forget(id);
  }

  /** What became due by `now`, and when to ask again: the end of the step under way, Infinity when idle. */
  due(now: number): { readonly tokens: readonly DueTokens[]; readonly askAgainAt: number } {
    this.#advance(now);
    const tokens: DueTokens[] = [];
    for (const id of this.#finished) {
      tokens.push({ id, generated: this.#outputs.get(id)!, finished: true });
      this.#forget(id);
    }
    for (const { request, generated } of this.#replica.progress(now)) {
      if (generated <= this.#told.get(request.id)!) continue;
      tokens.push({ id: request.id, generated, finished: false });
      this.#told.set(request.id, generated);
    }
    return { tokens, askAgainAt: this.nextStepEnd(now) };
  }

  /** When the step under way at `now` ends; Infinity when idle, not after `now` when one is about to begin. */
  nextStepEnd(now: number): number {
    return this.#replica.nextStepEnd(now);
  }

  #advance(now: number): void {
    while (this.#replica.nextTime <= now) this.#replica.advance(now, this.#listener);
  }

  #forget(id: number): void {
    this.#told.delete(id);
    this.#outputs.delete(id);
    this.#finished.delete(id);
  }
}
