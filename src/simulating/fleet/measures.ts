/** What a simulated run is judged by: the load test's fields, utilisation, and a timeline per expert. */
import type { LittlesLaw } from './cohort.ts';
import type { Percentiles } from './sketch.ts';

export interface ExpertMeasures {
  readonly id: string;
  readonly gpus: number;
  readonly requests: number;
  readonly tokens_per_second: number;
  /** Share of the time in which its replicas were computing, and of their cache in use; means over time. */
  readonly gpu_utilisation: number;
  readonly kv_utilisation: number;
  readonly mean_running: number;
  readonly preemptions: number;
  /** Output tokens per second and requests running in each of the run's equal parts. */
  readonly timeline: readonly { readonly tokens_per_second: number; readonly running: number }[];
}

/** Fields named as the load test names them, so that both can be laid side by side. */
export interface StageMeasures {
  readonly users: number;
  /** Asked within `seconds` and answered. */
  readonly requests: number;
  readonly errors: number;
  readonly tokens_per_second: number;
  readonly ttft_ms: Percentiles;
  readonly tpot_ms: Percentiles;
  readonly e2e_ms: Percentiles;
  /** Share of requests that went to the expert of highest affinity. */
  readonly at_home: number;
  readonly gpu_utilisation: number;
  readonly kv_utilisation: number;
  readonly seconds: number;
  /**
   * Share of the requests asked within `seconds` that were still unanswered long after: 0 when the load is
   * served. Their times so far are part of the percentiles, as lower bounds.
   */
  readonly unfinished: number;
  readonly little: LittlesLaw;
  readonly experts: readonly ExpertMeasures[];
}

export const TIMELINE_PARTS = 60;

/** Sums over one expert's runs of steps, clipped to the measured window. */
export class ExpertTally {
  requests = 0;
  #tokens = 0;
  #busy = 0;
  #kvSeconds = 0;
  #runningSeconds = 0;
  readonly #tokensIn = new Float64Array(TIMELINE_PARTS);
  readonly #runningIn = new Float64Array(TIMELINE_PARTS);
  readonly #from: number;
  readonly #part: number;

  constructor(from: number, seconds: number) {
    this.#from = from;
    this.#part = seconds / TIMELINE_PARTS;
  }

  /** A run of steps that gave `tokens` tokens between `start` and `end`. */
  ran(start: number, end: number, tokens: number, running: number, kvUse: number): void {
    const length = end - start;
    if (length <= 0) return;
    const first = Math.max(0, Math.floor((start - this.#from) / this.#part));
    const last = Math.min(TIMELINE_PARTS - 1, Math.floor((end - this.#from) / this.#part));
    for (let i = first; i <= last; i++) {
      const low = Math.max(start, this.#from + i * this.#part);
      const within = Math.min(end, this.#from + (i + 1) * this.#part) - low;
      if (within <= 0) continue;
      this.#tokensIn[i]! += (tokens * within) / length;
      this.#runningIn[i]! += running * within;
      this.#tokens += (tokens * within) / length;
      this.#busy += within;
      this.#kvSeconds += kvUse * within;
      this.#runningSeconds += running * within;
    }
  }

  measures(id: string, gpus: number, replicas: number, preemptions: number): ExpertMeasures {
    const seconds = this.#part * TIMELINE_PARTS;
    return {
      id,
      gpus,
      requests: this.requests,
      tokens_per_second: this.#tokens / seconds,
      gpu_utilisation: this.#busy / seconds / replicas,
      kv_utilisation: this.#kvSeconds / seconds / replicas,
      mean_running: this.#runningSeconds / seconds,
      preemptions,
      timeline: Array.from({ length: TIMELINE_PARTS }, (_, i) => ({
        tokens_per_second: this.#tokensIn[i]! / this.#part,
        running: this.#runningIn[i]! / this.#part,
      })),
    };
  }
}
