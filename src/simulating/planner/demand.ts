/** What a placement is asked to carry and to keep: users or a rate, lengths, and what the users may wait. */
import { UserError } from '../../core/errors.ts';
import type { StageMeasures } from '../fleet/measures.ts';
import type { Quantile } from '../fleet/sketch.ts';
import type { EngineLimits } from '../memory.ts';
import type { MeanLengths } from '../steady-state.ts';
import type { LengthModel } from '../workload/lengths.ts';
import type { Instance } from './instances.ts';
import type { Prices } from './prices.ts';

export type Load =
  /** Users who think for a while (mean, exponential) before they ask again. */
  | { readonly users: number; readonly thinkSeconds: number }
  /** Requests a second, whoever sends them. */
  | { readonly perSecond: number };

/** One thing that must hold: a statistic of a waiting time, at most so many seconds. */
export interface Level {
  readonly metric: 'ttft' | 'tpot';
  readonly statistic: Quantile;
  readonly seconds: number;
}

export interface Demand {
  readonly load: Load;
  /** For arithmetic, and as a distribution for simulation. */
  readonly mean: MeanLengths;
  readonly lengths: LengthModel;
  readonly levels: readonly Level[];
  readonly limits: EngineLimits;
  readonly prices: Prices;
  /** Machines to rent whole, instead of the prices of single GPUs. */
  readonly instances?: readonly Instance[];
}

/** `600 users` or `20 requests/s`. */
export function describeLoad(load: Load): string {
  const count = (n: number): string => n.toLocaleString('en-US');
  if ('perSecond' in load) return `${count(load.perSecond)} requests/s`;
  return `${count(load.users)} users`;
}

/** `TTFT p95 ≤ 1 s`. */
export function describeLevel({ metric, statistic, seconds }: Level): string {
  return `${metric.toUpperCase()} ${statistic} ≤ ${seconds < 1 ? `${Math.round(1000 * seconds)} ms` : `${seconds} s`}`;
}

/** The load times `factor`, as whole users where it is users. */
export function scaled(load: Load, factor: number): Load {
  if ('perSecond' in load) return { perSecond: load.perSecond * factor };
  return { ...load, users: Math.max(1, Math.round(load.users * factor)) };
}

/** By this much a high percentile of a short run must lie below its level: another seed, or a longer run, gives more. */
const RESERVE = 0.03;

/** Why a simulated run does not keep the levels; null when it does. */
export function shortfall(run: StageMeasures, levels: readonly Level[]): string | null {
  if (run.unfinished > 0)
    return `${Math.ceil(100 * run.unfinished)} % of the requests were never answered: it is saturated`;
  for (const level of levels) {
    const measured = (level.metric === 'ttft' ? run.ttft_ms : run.tpot_ms)[level.statistic] / 1000;
    const high = level.statistic === 'p95' || level.statistic === 'p99';
    // A run of single-token answers has no time per token to keep.
    if (Number.isNaN(measured) || measured <= level.seconds * (high ? 1 - RESERVE : 1)) continue;
    const value = measured < 1 ? `${Math.round(1000 * measured)} ms` : `${measured.toFixed(1)} s`;
    const near = measured <= level.seconds ? ', too near to promise' : '';
    return `${level.metric.toUpperCase()} ${level.statistic} ${value}${near}`;
  }
  return null;
}

const FORM = /^(ttft|tpot)(?:\.(mean|p50|p95|p99))?=(\d+(?:\.\d+)?)(ms|s)$/;

/** `ttft=1s,tpot=50ms,ttft.p95=2s`: means unless a percentile is named. @throws {UserError} for other levels or units, and what is said twice. */
export function parseLevels(text: string | undefined): readonly Level[] {
  const parts = (text ?? '').split(',').map((part) => part.trim());
  const said = new Set<string>();
  return parts.filter(Boolean).map((part): Level => {
    const [, metric, statistic = 'mean', amount, unit] = FORM.exec(part) ?? [];
    if (!metric || !(Number(amount) > 0))
      throw new UserError(`--slo: "${part}" is not of the form ttft=1s, tpot=50ms or ttft.p95=2s.`);
    const name = `${metric}.${statistic}`;
    if (said.has(name)) throw new UserError(`--slo: ${name} is said twice; keep one of them.`);
    said.add(name);
    return {
      metric: metric as Level['metric'],
      statistic: statistic as Quantile,
      seconds: Number(amount) * (unit === 'ms' ? 1e-3 : 1),
    };
  });
}
