/** A day of a fleet under one rule of scaling: which requests were answered in time, and what GPUs it took. */
import { type Random, seededRandom } from '../../core/random.ts';
import type { LengthModel } from '../workload/lengths.ts';
import { Autoscaler, LOOK_SECONDS } from './autoscaler.ts';
import { ExpertPool } from './expert-pool.ts';
import { arrivalsIn, DAY_SECONDS, drawnLengths, sharesAt } from './load.ts';
import type { Rule } from './rules.ts';
import type { Service } from './service.ts';

export interface Day {
  readonly experts: number;
  /** Of all requests, by expert, until noon; sums to 1. */
  readonly shares: readonly number[];
  /** Mean over the day. */
  readonly requestsPerSecond: number;
  /** A multiple of the mean at a time of the day. */
  rate(seconds: number): number;
  readonly lengths: LengthModel;
  readonly meanLengths: { readonly promptTokens: number; readonly outputTokens: number };
  readonly service: Service;
  /** GPUs that there are. */
  readonly gpus: number;
  readonly startSeconds: number;
  readonly ttftSeconds: number;
  readonly seed: number;
}

export interface DayHour {
  readonly hour: number;
  readonly requests: number;
  /** Share answered in time. */
  readonly attained: number;
  /** Mean over the hour. */
  readonly gpus: number;
}

export interface DayResult {
  readonly rule: string;
  readonly requests: number;
  readonly refused: number;
  readonly attained: number;
  readonly gpu_hours: number;
  readonly hours: readonly DayHour[];
}

const TICK_SECONDS = 0.25;
/** Occupancy that a fixed fleet is sized for. */
const PLANNED = 0.7;

export function simulateDay(day: Day, rule: Rule): DayResult {
  return new DayRun(day, rule).run();
}

/** Replicas for an expert at the day's busiest time, by the shares of the morning. */
export function plannedReplicas(
  { service, meanLengths, requestsPerSecond, rate }: Day,
  share: number,
): number {
  let busiest = 0;
  for (let hour = 0; hour < 24; hour += 0.25) {
    let sum = 0;
    for (let minute = 0; minute < 15; minute++) sum += rate(hour * 3600 + minute * 60) / 15;
    busiest = Math.max(busiest, sum);
  }
  const stay = service.ttftSeconds(meanLengths.promptTokens) + meanLengths.outputTokens * service.tpotSeconds;
  return Math.max(1, Math.ceil((requestsPerSecond * busiest * share * stay) / (service.slots * PLANNED)));
}

class DayRun {
  readonly #day: Day;
  readonly #rule: Rule;
  readonly #pools: readonly ExpertPool[];
  readonly #scalers: readonly Autoscaler[];
  readonly #random: Random;
  #requests = 0;
  #attained = 0;
  #refused = 0;
  #gpuSeconds = 0;

  constructor(day: Day, rule: Rule) {
    this.#day = day;
    this.#rule = rule;
    const random = seededRandom(day.seed);
    this.#random = random.fork('arrivals');
    const parts = {
      service: day.service,
      lengths: drawnLengths(day.lengths, random.fork('lengths')),
      meanOutput: day.meanLengths.outputTokens,
      tickSeconds: TICK_SECONDS,
      startSeconds: day.startSeconds,
      answered: (ttft: number | null) => this.#answered(ttft),
    };
    const first = day.shares.map((share) => (rule.readings === null ? plannedReplicas(day, share) : 1));
    const most = Math.floor(day.gpus / day.service.gpus);
    // A plan for more than there is gives everybody the same part of it.
    const part = Math.min(1, most / first.reduce((sum, replicas) => sum + replicas, 0));
    first.forEach((replicas, index) => {
      first[index] = Math.max(1, Math.floor(replicas * part));
    });
    this.#pools = first.map((replicas) => new ExpertPool(parts, replicas));
    const max = Math.floor(day.gpus / day.service.gpus);
    this.#scalers = first.map((replicas) => new Autoscaler({ min: rule.min, max }, replicas));
  }

  run(): DayResult {
    const hours: DayHour[] = [];
    for (let hour = 0; hour < 24; hour++) {
      const before = { requests: this.#requests, attained: this.#attained, gpuSeconds: this.#gpuSeconds };
      for (let at = hour * 3600; at < (hour + 1) * 3600; at += TICK_SECONDS) this.#step(at);
      const requests = this.#requests - before.requests;
      hours.push({
        hour,
        requests,
        attained: requests === 0 ? 1 : (this.#attained - before.attained) / requests,
        gpus: (this.#gpuSeconds - before.gpuSeconds) / 3600,
      });
    }
    return {
      rule: this.#rule.name,
      requests: this.#requests,
      refused: this.#refused,
      attained: this.#requests === 0 ? 1 : this.#attained / this.#requests,
      gpu_hours: this.#gpuSeconds / 3600,
      hours,
    };
  }

  #step(at: number): void {
    const { requestsPerSecond, rate, shares } = this.#day;
    const now = sharesAt(at % DAY_SECONDS, shares);
    const mean = requestsPerSecond * rate(at) * TICK_SECONDS;
    const draw = (): number => this.#random.below(2 ** 16);
    this.#pools.forEach((pool, index) => {
      pool.step(arrivalsIn(mean * now[index]!, this.#random), draw);
    });
    if (at % LOOK_SECONDS === 0) this.#scale(at);
    this.#gpuSeconds += this.#held() * TICK_SECONDS;
  }

  /** One expert after another; who comes when all GPUs are taken gets what is left. */
  #scale(at: number): void {
    const { readings, active } = this.#rule;
    if (readings === null) return;
    let left = this.#day.gpus - this.#held();
    this.#pools.forEach((pool, index) => {
      const { demand, gpus: before } = pool;
      const scaler = this.#scalers[index]!;
      const wanted = scaler.look(at, readings(demand), active(demand));
      const { gpus } = this.#day.service;
      const affordable = Math.min(wanted, Math.floor((before + Math.max(0, left)) / gpus));
      scaler.replicas = affordable;
      pool.scale(affordable);
      left -= pool.gpus - before;
    });
  }

  #held(): number {
    return this.#pools.reduce((sum, pool) => sum + pool.gpus, 0);
  }

  #answered(ttft: number | null): void {
    this.#requests += 1;
    if (ttft === null) this.#refused += 1;
    else if (ttft <= this.#day.ttftSeconds) this.#attained += 1;
  }
}
