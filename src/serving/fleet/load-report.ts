/**
 * What is known of a replica's engine from its own reports: the last reading, how the latest try went, and the state
 * of both in one word. It asks through the expert; when to ask is the fleet's.
 */
import { describeError } from '../../core/errors.ts';
import type { Expert } from '../experts/expert.ts';
import { type Observation, weightOf } from './observed-load.ts';

/**
 * `none`: the engine reports nothing, or was not asked yet. `fresh`: read lately. `aging`: not read lately, so it counts
 * for less and less. `lost`: it cannot be read and nothing of it is used.
 */
export type ReportState = 'none' | 'fresh' | 'aging' | 'lost';

export interface LoadReport {
  /** The last reading, however old. */
  readonly seen: Observation | null;
  /** Why the latest try failed; null when it did not. */
  readonly problem: string | null;
}

export const NO_REPORT: LoadReport = { seen: null, problem: null };

export function stateOf({ seen, problem }: LoadReport, now: number): ReportState {
  const weight = seen ? weightOf(seen, now) : 0;
  if (weight === 0) return seen || problem !== null ? 'lost' : 'none';
  return weight === 1 && problem === null ? 'fresh' : 'aging';
}

/** The little a reading needs to know of a replica. */
interface Asked {
  readonly expert: Expert;
  /** Ours, over all our processes. */
  readonly inFlight: number;
}

/**
 * One reading. Never rejects: a failure keeps what was seen before and says why.
 * @param every milliseconds between readings
 */
export async function readReport(
  replica: Asked,
  before: LoadReport,
  options: { every: number; now: () => number; signal: AbortSignal },
): Promise<LoadReport> {
  const ownBefore = replica.inFlight;
  try {
    const load = (await replica.expert.reportedLoad?.(options.signal)) ?? null;
    if (load === null) return NO_REPORT;
    // What began or ended while it was read may be in it or not; taken as ours, it is not mistaken for another's.
    const own = Math.max(ownBefore, replica.inFlight);
    return { seen: { load, own, at: options.now(), every: options.every }, problem: null };
  } catch (error) {
    return { seen: before.seen, problem: describeError(error) };
  }
}
