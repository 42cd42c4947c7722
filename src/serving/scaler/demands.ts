/** What is asked of each expert of a fleet now, and how fast its replicas were last seen to work. */

import type { Arrivals } from '../../deciding/scaling/arrivals.ts';
import type { Demand } from '../../deciding/scaling/demand.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { ExpertGroup } from '../fleet/group.ts';

export class Demands {
  readonly #fleet: () => Fleet;
  readonly #arrivals: Arrivals;
  /** Kept while an expert has no replica: it will come back as fast as it was. */
  readonly #rates = new Map<string, number>();

  /** @param fleet the one that serves now */
  constructor(fleet: () => Fleet, arrivals: Arrivals) {
    this.#fleet = fleet;
    this.#arrivals = arrivals;
  }

  get experts(): readonly string[] {
    return [...this.#fleet().groups.keys()];
  }

  /** Null for an expert that is not there. */
  of(expert: string): Demand | null {
    const group = this.#fleet().groups.get(expert);
    if (!group) return null;
    const { inFlight, queued, outstandingTokens } = group.load();
    return {
      inFlight,
      queued,
      tokens: outstandingTokens + queued * meanTokens(group),
      arrivingTokens: this.#arrivals.tokensPerSecond(expert),
      sinceArrival: this.#arrivals.since(expert),
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
