/**
 * From classified turns to a ranking of experts, with the reason. Pure, so the gateway, the dry run and the
 * simulator share it; it knows nothing of requests or sockets.
 */
import { conversationHome, type HomeReason } from './conversation.ts';
import type { Candidate, LoadSnapshot, Policy, RoutingContext } from './policy.ts';
import { affinities, type Classified, expertDistances, type Territory } from './territory.ts';

/** `spilled`: the policy, with the load in view, chose another than the prompt's home. */
export type Reason = HomeReason | 'spilled' | 'named' | 'forced';

export interface Ranked {
  readonly expert: string;
  readonly affinity: number;
  /** Distance of the expert's nearest cluster to the prompt; null for an expert without clusters. */
  readonly distance: number | null;
}

export interface Decision {
  readonly expert: string;
  /** The expert that suits the prompt best, whatever its load; the one demanded where the client chose. */
  readonly home: string;
  readonly reason: Reason;
  /** All experts, best first; the head is `expert`, the tail the order of fallback. */
  readonly ranking: readonly Ranked[];
}

/** Everything but home counts at most this much, so that staying and falling outside outweigh plain distance. */
const AWAY_AFFINITY = 0.9;

/**
 * @param turns classified user turns, oldest first, at least one; the last is what the request is about
 * @param loads one snapshot per expert, in the territory's order
 */
export function decide(
  territory: Territory,
  turns: readonly Classified[],
  loads: readonly LoadSnapshot[],
  policy: Policy,
  context: RoutingContext,
): Decision {
  const home = conversationHome(territory, turns);
  const distances = expertDistances(territory, turns.at(-1)!.distances);
  const candidates: readonly Candidate[] = Array.from(affinities(distances), (affinity, index) => ({
    id: territory.experts[index]!,
    affinity: index === home.expert ? 1 : Math.min(affinity, AWAY_AFFINITY),
    load: loads[index]!,
  }));
  const ranked = policy(candidates, context);
  const homeId = territory.experts[home.expert]!;
  return asDecision(territory, distances, ranked, homeId, ranked[0]!.id === homeId ? home.reason : 'spilled');
}

/** The decision when the client itself chose: that expert first, the others behind it by distance. */
export function decideFor(
  territory: Territory,
  expert: string,
  turns: readonly Classified[],
  reason: 'named' | 'forced',
): Decision {
  const distances = expertDistances(territory, turns.at(-1)!.distances);
  const others = Array.from(affinities(distances), (affinity, index) => ({
    id: territory.experts[index]!,
    affinity,
  }))
    .filter((candidate) => candidate.id !== expert)
    .sort((a, b) => b.affinity - a.affinity);
  return asDecision(territory, distances, [{ id: expert, affinity: 1 }, ...others], expert, reason);
}

function asDecision(
  territory: Territory,
  distances: Float64Array,
  ranked: readonly Pick<Candidate, 'id' | 'affinity'>[],
  home: string,
  reason: Reason,
): Decision {
  const ranking = ranked.map(({ id, affinity }) => {
    const distance = distances[territory.experts.indexOf(id)]!;
    return { expert: id, affinity, distance: Number.isFinite(distance) ? distance : null };
  });
  return { expert: ranking[0]!.expert, home, reason, ranking };
}
