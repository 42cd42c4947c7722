/**
 * From classified turns to a ranking of experts, with the reason. The gateway, the dry run and the simulator all
 * decide by calling it.
 */
import { conversationHome, type HomeReason } from './conversation.ts';
import { type Cost, costOf } from './cost.ts';
import type { BoundPolicy, Candidate, LoadSnapshot, PolicyContext } from './policy.ts';
import { type Classified, expertDistances, fitsOf, isBalanced, type Territory } from './territory.ts';

/**
 * `spilled`: the policy, considering load, chose an expert other than the prompt's home. `local`: the prompt may go to
 * local experts only, and the one that would have been chosen is not local. `able`: the one that would have been chosen
 * does not answer requests of this dialect. `explored`: it is tried, to learn how good it is.
 */
export type Reason = HomeReason | 'spilled' | 'local' | 'explored' | 'able' | 'named' | 'forced';

export interface Ranked {
  readonly expert: string;
  readonly affinity: number;
  /** Distance of the expert's nearest cluster to the prompt; null for an expert without clusters. */
  readonly distance: number | null;
  /** What choosing it costs, in seconds, part by part; null where the client chose the expert. */
  readonly cost: Cost | null;
}

export interface Decision {
  readonly expert: string;
  /** The expert that suits the prompt best, whatever its load; if the client chose an expert, that one. */
  readonly home: string;
  readonly reason: Reason;
  /** All experts, best first: `expert`, then the fallbacks in order. */
  readonly ranking: readonly Ranked[];
}

/** Affinity of any expert but the home, at most: staying in a conversation and the fallback outweigh plain distance. */
const MAX_OTHER_AFFINITY = 0.9;

/**
 * @param turns classified user turns, oldest first, at least one; the last is what the request is about
 * @param loads one snapshot per expert, in the territory's order
 * @throws Error when the policy does not return every candidate
 */
export function decide(
  territory: Territory,
  turns: readonly Classified[],
  loads: readonly LoadSnapshot[],
  policy: BoundPolicy,
  { request, random, sequence }: Omit<PolicyContext, 'candidates'>,
): Decision {
  const home = conversationHome(territory, turns);
  const candidates = candidatesFor(territory, turns.at(-1)!, home, loads);
  const ranked = policy.rank({ candidates, request, random, sequence });
  if (ranked.length !== candidates.length)
    throw new Error(`Policy '${policy.id}' ranked ${ranked.length} of ${candidates.length} experts.`);
  const homeId = territory.experts[home.expert]!;
  const priced = ranked.map((one) => ({ ...one, cost: costOf(one, request, policy.secondsPerAffinity) }));
  return asDecision(priced, homeId, reasonOf(ranked[0]!, homeId, home.reason));
}

/** Staying where the conversation is cached, although its last turn suits another expert better, is staying. */
function reasonOf({ id, warmth }: Candidate, home: string, reason: HomeReason): Reason {
  if (id === home) return reason;
  return warmth === 1 ? 'conversation' : 'spilled';
}

function candidatesFor(
  territory: Territory,
  turn: Classified,
  home: { readonly expert: number; readonly before: number | null },
  loads: readonly LoadSnapshot[],
): readonly Candidate[] {
  const distances = expertDistances(territory, turn.distances);
  const fits = isBalanced(territory) ? null : fitsOf(territory, turn);
  return territory.experts.map((id, expert) => ({
    id,
    affinity: expert === home.expert ? 1 : Math.min(fits?.[expert] ?? 1, MAX_OTHER_AFFINITY),
    distance: finite(distances[expert]!),
    // The conversation's prefix is cached at the expert that was its home before this turn.
    warmth: home.before === null ? null : Number(expert === home.before),
    load: loads[expert]!,
  }));
}

/** The decision when it is not the policy that chose, but the client or exploration: that expert first, the others behind it by distance. */
export function decideFor(
  territory: Territory,
  expert: string,
  turns: readonly Classified[],
  reason: 'named' | 'forced' | 'explored',
): Decision {
  const distances = expertDistances(territory, turns.at(-1)!.distances);
  const fits = fitsOf(territory, turns.at(-1)!);
  const all = territory.experts.map((id, index) => ({
    id,
    affinity: id === expert ? 1 : fits[index]!,
    distance: finite(distances[index]!),
    cost: null,
  }));
  all.sort((a, b) => Number(b.id === expert) - Number(a.id === expert) || b.affinity - a.affinity);
  return asDecision(all, expert, reason);
}

/** The same decision with another expert first: the one that is in the middle of its work. */
export function keptWith(decision: Decision, expert: string): Decision {
  const own = decision.ranking.find((ranked) => ranked.expert === expert);
  if (!own || decision.expert === expert) return decision;
  const others = decision.ranking.filter((ranked) => ranked !== own);
  return { ...decision, expert, reason: 'conversation', ranking: [own, ...others] };
}

function finite(distance: number): number | null {
  return Number.isFinite(distance) ? distance : null;
}

function asDecision(
  ranked: readonly (Pick<Candidate, 'id' | 'affinity' | 'distance'> & Pick<Ranked, 'cost'>)[],
  home: string,
  reason: Reason,
): Decision {
  const ranking = ranked.map(({ id, affinity, distance, cost }) => ({
    expert: id,
    affinity,
    distance,
    cost,
  }));
  return { expert: ranking[0]!.expert, home, reason, ranking };
}
