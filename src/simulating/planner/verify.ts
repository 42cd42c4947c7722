/** Whether a placement keeps what arithmetic promises: a short simulation of it, and how far it is from its edge. */
import { nearest } from '../../deciding/routing/policies/nearest.ts';
import { bindPolicy } from '../../deciding/routing/policy.ts';
import type { Deployment } from '../deployment.ts';
import { simulateFleet } from '../fleet/event-loop.ts';
import type { StageMeasures } from '../fleet/measures.ts';
import { ringPrompts } from '../fleet/prompts.ts';
import type { FleetScenario } from '../fleet/scenario.ts';
import { zipfShares } from '../workload/clusters.ts';
import { within } from '../workload/lengths.ts';
import { type Demand, type Load, scaled, shortfall } from './demand.ts';

/** Simulated seconds: measured, and before; with more where answers take long. */
const MEASURED = 60;
const WARMUP = 60;
const ANSWERS = 4;
/** Fewer requests than this say nothing of a 95th percentile. */
const REQUESTS = 200;

export interface Verdict {
  readonly run: StageMeasures;
  /** Why it does not keep the levels; null when it does. */
  readonly shortfall: string | null;
}

/**
 * Copies behind a policy that sends every request where it waits least, so that a verdict is one about the placement.
 * @param answerSeconds about how long an answer takes, from arithmetic
 */
export function verify(
  d: Deployment,
  copies: number,
  demand: Demand,
  answerSeconds: number,
  load: Load = demand.load,
): Verdict {
  const run = simulateFleet(scenario(d, copies, demand, answerSeconds, load));
  return { run, shortfall: shortfall(run, demand.levels) };
}

function scenario(
  d: Deployment,
  copies: number,
  { lengths, limits }: Demand,
  answerSeconds: number,
  load: Load,
): FleetScenario {
  const think = 'users' in load ? load.thinkSeconds : 0;
  const cycle = answerSeconds + think;
  const rate = 'users' in load ? load.users / cycle : load.perSecond;
  const seconds = Math.max(MEASURED, ANSWERS * cycle, REQUESTS / rate);
  return {
    experts: [
      {
        id: 'expert',
        deployment: d,
        replicas: copies,
        limits,
        admission: d.engine.startsWith('tensorrt') ? 'guaranteed-no-evict' : 'optimistic',
        chunkedPrefill: true,
      },
    ],
    shares: zipfShares(1, 0),
    prompts: ringPrompts(1, 1),
    arrivals:
      'users' in load
        ? { kind: 'closed', users: load.users, thinkSeconds: load.thinkSeconds }
        : { kind: 'poisson', perSecond: load.perSecond },
    lengths: within(lengths, d.model.maxContext),
    policy: bindPolicy(nearest),
    seconds: Math.min(seconds, 3600),
    warmupSeconds: Math.max(WARMUP, cycle),
    seed: 1,
  };
}

export interface Headroom {
  /** The most load found to hold, and the least found not to; null when everything tried holds. */
  readonly holds: Load;
  readonly breaks: Load | null;
}

/** Tried upwards until it breaks, then halved: the edge within some five percent near the load. */
const STEPS = [1.1, 1.3, 2] as const;
const HALVINGS = 2;

/** How far the load can grow before a level breaks. The load itself must hold. */
export function headroom(d: Deployment, copies: number, demand: Demand, answerSeconds: number): Headroom {
  const holds = (factor: number): boolean =>
    verify(d, copies, demand, answerSeconds, scaled(demand.load, factor)).shortfall === null;
  let good = 1;
  let bad: number | null = null;
  for (const factor of STEPS) {
    if (!holds(factor)) {
      bad = factor;
      break;
    }
    good = factor;
  }
  for (let i = 0; bad !== null && i < HALVINGS; i++) {
    const middle = (good + bad) / 2;
    if (holds(middle)) good = middle;
    else bad = middle;
  }
  return { holds: scaled(demand.load, good), breaks: bad === null ? null : scaled(demand.load, bad) };
}
