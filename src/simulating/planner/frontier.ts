/**
 * What waiting less costs: placements of growing price, simulated under one load, and the front of those that none
 * beats in both.
 */
import type { StageMeasures } from '../fleet/measures.ts';
import type { Demand } from './demand.ts';
import {
  answerSeconds,
  deployments,
  mostCopies,
  type Placement,
  place,
  type SearchSpace,
  verdictOf,
} from './placements.ts';

export interface PricedPoint {
  readonly placement: Placement;
  readonly simulated: StageMeasures;
  /** US dollars an hour, or GPUs where one has no price. */
  readonly cost: number;
}

/** Simulations at most; the cheapest candidates by arithmetic come first. */
const MOST = 32;

/** Every deployment in doubling numbers of copies, from one, as far as it carries the load at all. */
export function pricedPoints(space: SearchSpace, demand: Demand): readonly PricedPoint[] {
  const open: Demand = { ...demand, levels: [] };
  const candidates = deployments(space).flatMap((d) => {
    const most = mostCopies(d, space);
    const copies: number[] = [];
    for (let n = space.experts; n <= most; n *= 2) copies.push(n);
    return copies.map((n) => place(d, n, open)).filter((p) => p.meets && Number.isFinite(p.ttft_ms));
  });
  return candidates
    .sort((a, b) => costOf(a) - costOf(b) || a.ttft_ms - b.ttft_ms)
    .slice(0, MOST)
    .flatMap((placement) => {
      const verdict = verdictOf(placement.deployment, placement.copies, open, answerSeconds(placement, open));
      return typeof verdict === 'string' || verdict.shortfall !== null
        ? []
        : [{ placement, simulated: verdict.run, cost: costOf(placement) }];
    });
}

function costOf(p: Placement): number {
  return p.usd_per_hour ?? p.gpus;
}

/** Points that no other beats in both cost and `value`, by growing value. */
export function paretoFront(
  points: readonly PricedPoint[],
  value: (point: PricedPoint) => number,
): readonly PricedPoint[] {
  const front: PricedPoint[] = [];
  for (const point of [...points].sort((a, b) => value(a) - value(b) || a.cost - b.cost))
    if (front.length === 0 || point.cost < front.at(-1)!.cost) front.push(point);
  return front;
}
