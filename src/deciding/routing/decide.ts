/**
 * From classified turns to a ranking of experts, with the reason. The gateway, the dry run and the simulator all
 * decide by calling it.
 */
import { coldPlaced } from './cold.ts';
import { conversationHome, type Home, type HomeReason } from './conversation.ts';
import { type Cost, costOf } from './cost.ts';
import type { BoundPolicy, Candidate, LoadSnapshot, PolicyContext } from './policy.ts';
import { type Classified, expertDistances, fitsOf, isBalanced, type Territory } from './territory.ts';

/**
 * `spilled`: the policy, considering load, chose an expert other than the prompt's home. `local`: the prompt may go to
 * local experts only, and the one that would have been chosen is not local. `able`: the one that would have been chosen
 * does not answer requests of this dialect. `explored`: it is tried, to learn how good it is.
 * `side-request`: a program asks about a conversation, and the config says who answers that.
 */
export type Reason =
  | HomeReason
  | 'spilled'
  | 'local'
  | 'explored'
  | 'side-request'
  | 'able'
  | 'named'
  | 'forced';

export interface Ranked {
  readonly expert: string;
  readonly affinity: number;
  /** Distance of the expert's nearest cluster to the prompt; null for an expert without clusters. */
  readonly distance: number | null;
  /** What choosing it costs, in seconds, part by part; null where the client chose the expert. */
  readonly cost: Cost | null;
}

/** Why a prompt went elsewhere than home: it takes no requests, waiting there costs more, or the policy minds no fit. */
export type SpillCause = 'unavailable' | 'cost' | 'policy';

export interface Decision {
  readonly expert: string;
  /** The expert that suits the prompt best, whatever its load; if the client chose an expert, that one. */
  readonly home: string;
  readonly reason: Reason;
  /** Null but for the reason `spilled`. */
  readonly spilledFor: SpillCause | null;
  /** The expert that has answered the conversation so far, and has it cached; null at its beginning. */
  readonly livedAt: string | null;
  /** All experts, best first: `expert`, then the fallbacks in order. */
  readonly ranking: readonly Ranked[];
}

/** Affinity of any expert but the home, at most: staying in a conversation and the fallback outweigh plain distance. */
const MAX_OTHER_AFFINITY = 0.9;

/**
 * Turns that a subject is expected to last once a conversation has turned to it: what it costs to move is paid once, and
 * what an unsuited expert lacks, in each of them.
 */
export const TURNS_OF_A_SUBJECT = 6;

/** Where the experts stand before the policy is asked. All but the loads follows from the prompt alone. */
export interface Standing {
  readonly home: Home & { readonly before: number | null };
  /** One per expert, in the territory's order. */
  readonly candidates: readonly Candidate[];
}

/**
 * @param turns classified user turns, oldest first, at least one; the last is what the request is about
 * @param loads one per expert, in the territory's order
 * @param livesAt the expert that has answered the conversation so far, where that is remembered; else its turns say it
 */
export function standingOf(
  territory: Territory,
  turns: readonly Classified[],
  loads: readonly LoadSnapshot[],
  livesAt: string | null = null,
): Standing {
  const lives = livesAt === null ? -1 : territory.experts.indexOf(livesAt);
  const home = conversationHome(territory, turns, lives < 0 ? null : lives);
  return standingAt(territory, turns.at(-1)!, loads, home);
}

/** The same where it is known already what the turn belongs to. */
export function standingAt(
  territory: Territory,
  turn: Classified,
  loads: readonly LoadSnapshot[],
  home: Standing['home'],
): Standing {
  const distances = expertDistances(territory, turn.distances);
  const fits = isBalanced(territory) ? null : fitsOf(territory, turn);
  const moves = home.before !== null && home.before !== home.expert;
  const lasting = moves ? TURNS_OF_A_SUBJECT : 1;
  const candidates = territory.experts.map((id, expert) => ({
    id,
    affinity: expert === home.expert ? 1 : Math.min(fits?.[expert] ?? 1, MAX_OTHER_AFFINITY),
    distance: finite(distances[expert]!),
    // The conversation's prefix is cached at the expert that was its home before this turn.
    warmth: home.before === null ? null : Number(expert === home.before),
    lasting,
    load: loads[expert]!,
  }));
  return { home, candidates };
}

/**
 * The expert that `decide` would rank first, without ranking the others.
 * @param context its candidates are those of `standingOf`, at least one
 */
export function chosenFirst(policy: BoundPolicy, context: PolicyContext): Candidate {
  return policy.best ? policy.best(context) : policy.rank(context)[0]!;
}

/** What a decision depends on beside prompt and load. */
export interface Circumstances extends Omit<PolicyContext, 'candidates' | 'byAffinity'> {
  /** As of `standingOf`. */
  readonly livesAt?: string | null;
}

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
  { request, random, sequence, livesAt = null }: Circumstances,
): Decision {
  const { home, candidates } = standingOf(territory, turns, loads, livesAt);
  const ranked = coldPlaced(
    policy.rank({ candidates, request, random, sequence }),
    request,
    policy.secondsPerAffinity,
  );
  if (ranked.length !== candidates.length)
    throw new Error(`Policy '${policy.id}' ranked ${ranked.length} of ${candidates.length} experts.`);
  const homeId = territory.experts[home.expert]!;
  const ranking = ranked.map((one) => ({
    expert: one.id,
    affinity: one.affinity,
    distance: one.distance,
    cost: costOf(one, request, policy.secondsPerAffinity),
  }));
  const reason = reasonOf(ranked[0]!, homeId, home.reason);
  const livedAt = home.before === null ? null : territory.experts[home.before]!;
  const spilledFor = reason === 'spilled' ? spillCause(candidates[home.expert]!, ranking) : null;
  return { expert: ranking[0]!.expert, home: homeId, reason, spilledFor, livedAt, ranking };
}

function spillCause({ id, load }: Candidate, ranking: readonly Ranked[]): SpillCause {
  if (!load.available && load.startsIn === undefined) return 'unavailable';
  const there = ranking.find(({ expert }) => expert === id)?.cost?.total ?? 0;
  return there > (ranking[0]!.cost?.total ?? 0) ? 'cost' : 'policy';
}

/** Staying where the conversation is cached, although its last turn suits another expert better, is staying. */
function reasonOf({ id, warmth }: Candidate, home: string, reason: HomeReason): Reason {
  if (id === home) return reason;
  return warmth === 1 ? 'conversation' : 'spilled';
}

/** The decision when it is not the policy that chose, but the client, exploration or the config: that expert first, the others behind it by distance. */
export function decideFor(
  territory: Territory,
  expert: string,
  turns: readonly Classified[],
  reason: 'named' | 'forced' | 'explored' | 'side-request',
): Decision {
  const distances = expertDistances(territory, turns.at(-1)!.distances);
  const fits = fitsOf(territory, turns.at(-1)!);
  const ranking = territory.experts.map((id, index) => ({
    expert: id,
    affinity: id === expert ? 1 : fits[index]!,
    distance: finite(distances[index]!),
    cost: null,
  }));
  ranking.sort(
    (a, b) => Number(b.expert === expert) - Number(a.expert === expert) || b.affinity - a.affinity,
  );
  return { expert: ranking[0]!.expert, home: expert, reason, spilledFor: null, livedAt: null, ranking };
}

/** The same decision with another expert first: the one that is in the middle of its work. */
export function keptWith(decision: Decision, expert: string): Decision {
  const own = decision.ranking.find((ranked) => ranked.expert === expert);
  if (!own || decision.expert === expert) return decision;
  const others = decision.ranking.filter((ranked) => ranked !== own);
  return { ...decision, expert, reason: 'conversation', spilledFor: null, ranking: [own, ...others] };
}

function finite(distance: number): number | null {
  return Number.isFinite(distance) ? distance : null;
}
