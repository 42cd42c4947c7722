/** What is asked of each expert of a fleet now, at all gateways, and how fast its replicas were last seen to work. */

import type { Arrivals } from '../../deciding/scaling/arrivals.ts';
import { type Demand, together } from '../../deciding/scaling/demand.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { ExpertGroup } from '../fleet/group.ts';

export interface DemandParts {
  /** The one that serves now. */
  fleet(): Fleet;
  readonly arrivals: Arrivals;
  /** What other gateways have of an expert, as last heard. */
  elsewhere(expert: string): readonly Demand[];
  /** Milliseconds that never run backwards, as the fleet's groups count theirs. */
  now(): number;
}

export class Demands {
  readonly #parts: DemandParts;
  /** Kept while an expert has no replica: it will come back as fast as it was. */
  readonly #rates = new Map<string, number>();

  constructor(parts: DemandParts) {
    this.#parts = parts;
  }

  get experts(): readonly string[] {
    return [...this.#parts.fleet().groups.keys()];
  }

  /** At all gateways; null for an expert that is not there. */
  of(expert: string): Demand | null {
    const own = this.own(expert);
    return own && together([own, ...this.#parts.elsewhere(expert)]);
  }

  /** At this process alone; null for an expert that is not there. */
  own(expert: string): Demand | null {
    const { fleet, arrivals, now } = this.#parts;
    const group = fleet().groups.get(expert);
    if (!group) return null;
    const own = group.replicas.map((replica) => replica.own);
    const { inFlight, outstandingTokens } = group.load();
    const { queued, waitingSince } = group;
    return {
      inFlight: own.reduce((sum, one) => sum + one.inFlight, 0),
      queued,
      tokens: own.reduce((sum, one) => sum + one.outstandingTokens, 0),
      queuedTokens: queued * meanTokens(group),
      seen: { inFlight, tokens: outstandingTokens },
      oldestWait: waitingSince === null ? 0 : Math.max(0, now() - waitingSince) / 1000,
      ready: group.replicas.filter(({ available }) => available).length,
      arrivingTokens: arrivals.tokensPerSecond(expert),
      sinceArrival: arrivals.since(expert),
      rate: this.#rate(group),
      coming: group.isComing,
    };
  }

  #rate({ id, replicas }: ExpertGroup): number {
    const working = replicas.map((replica) => replica.fullRate).filter((rate) => rate > 0);
    if (working.length > 0) this.#rates.set(id, working.reduce((sum, rate) => sum + rate) / working.length);
    return this.#rates.get(id) ?? 0;
  }
}

/** Of a request, while no replica of its expert has seen one. */
const MEAN_TOKENS = 512;

function meanTokens({ replicas }: ExpertGroup): number {
  if (replicas.length === 0) return MEAN_TOKENS;
  return replicas.reduce((sum, replica) => sum + replica.meanTokens, 0) / replicas.length;
}
