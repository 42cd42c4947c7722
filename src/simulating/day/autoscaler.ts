/**
 * What KEDA and Kubernetes' Horizontal Pod Autoscaler make of a metric, for one expert: KEDA between none and one, the
 * HPA beyond, with their defaults (keda.sh/docs: pollingInterval, cooldownPeriod; kubernetes.io: algorithm details, tolerance
 * 0.1, scale-down stabilisation 300 s, scale-up of at most 4 pods or 100 % in 15 s).
 */

export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** A metric with what one replica may have of it. */
export interface Reading {
  readonly value: number;
  readonly target: number;
}

/** How often it looks, in seconds. */
export const LOOK_SECONDS = 15;
const TOLERANCE = 0.1;
const STABLE_SECONDS = 300;
const COOLDOWN_SECONDS = 300;
const PODS = 4;

export class Autoscaler {
  readonly #bounds: Bounds;
  /** What was recommended within the time of stabilisation. */
  #recommended: { readonly at: number; readonly replicas: number }[] = [];
  #active = Number.NEGATIVE_INFINITY;
  replicas: number;

  constructor(bounds: Bounds, replicas: number) {
    this.#bounds = bounds;
    this.replicas = replicas;
  }

  /** @param at seconds @param active whether it is to run at all @returns replicas wanted from now on */
  look(at: number, readings: readonly Reading[], active: boolean): number {
    if (active) this.#active = at;
    if (this.replicas === 0) {
      // KEDA wakes it; the HPA sees it from then on.
      this.#recommended = [];
      this.replicas = active ? Math.max(1, this.#bounds.min) : this.#bounds.min;
      return this.replicas;
    }
    if (this.#bounds.min === 0 && at - this.#active >= COOLDOWN_SECONDS) {
      this.replicas = 0;
      return 0;
    }
    const wanted = Math.max(...readings.map((reading) => this.#proposal(reading)));
    this.#recommended = this.#recommended.filter((one) => at - one.at < STABLE_SECONDS);
    this.#recommended.push({ at, replicas: wanted });
    const stable = Math.max(...this.#recommended.map(({ replicas }) => replicas));
    const next = wanted >= this.replicas ? wanted : Math.min(this.replicas, stable);
    const most = Math.max(this.replicas + PODS, this.replicas * 2);
    const { min, max } = this.#bounds;
    this.replicas = Math.min(max, most, Math.max(min, 1, next));
    return this.replicas;
  }

  #proposal({ value, target }: Reading): number {
    const ratio = value / (target * this.replicas);
    if (Math.abs(ratio - 1) <= TOLERANCE) return this.replicas;
    return Math.ceil(value / target);
  }
}
