/**
 * The policies by name, as a config may choose them. Each is a few lines over values; what cannot take a request
 * always comes last.
 */
import { seededRandom } from '../../core/random.ts';
import { expectedWait, occupancy } from './expected-wait.ts';
import type { Candidate, Policy } from './policy.ts';

/** Expert Router's own rule (arXiv 2404.15153): the expert of the nearest cluster, whatever its load. */
const nearest: Policy = (candidates) => ordered(candidates, (candidate) => candidate.affinity);

/**
 * The best trade of affinity against waiting: score = affinity − wait / S, S being the seconds of waiting that one
 * unit of affinity is worth. At S → ∞ it is `nearest`; at S → 0 it sends to whoever is free soonest.
 */
const spill: Policy = (candidates, { secondsPerAffinity }) =>
  ordered(candidates, ({ affinity, load }) => affinity - expectedWait(load) / secondsPerAffinity);

/** The fewest requests for its slots; among equals the better suited. */
const leastLoaded: Policy = (candidates) => ordered(candidates, ({ load }) => -occupancy(load));

/** Each in turn, whatever the prompt. */
const roundRobin: Policy = (candidates, { sequence }) => {
  const first = sequence % Math.max(candidates.length, 1);
  return ordered([...candidates.slice(first), ...candidates.slice(0, first)], () => 0, false);
};

/** Two at random, the less loaded of them first (Mitzenmacher 2001); the rest by load. */
const powerOfTwo: Policy = (candidates, context) => {
  const [one, other, ...rest] = shuffled(candidates, context.random);
  if (!one || !other) return candidates;
  const pair = leastLoaded([one, other], context);
  return ordered([...pair, ...leastLoaded(rest, context)], () => 0, false);
};

/** The null hypothesis of every comparison. */
const random: Policy = (candidates, context) => ordered(shuffled(candidates, context.random), () => 0, false);

export const POLICIES = {
  spill,
  nearest,
  'least-loaded': leastLoaded,
  'round-robin': roundRobin,
  'power-of-two': powerOfTwo,
  random,
} as const satisfies Readonly<Record<string, Policy>>;

export type PolicyName = keyof typeof POLICIES;

export const POLICY_NAMES = Object.keys(POLICIES) as readonly PolicyName[];

/** By falling score, the available before the others; equal scores by affinity, or as they came. */
function ordered(
  candidates: readonly Candidate[],
  score: (candidate: Candidate) => number,
  tiesByAffinity = true,
): readonly Candidate[] {
  return candidates
    .map((candidate) => ({ candidate, score: score(candidate) }))
    .sort(
      (a, b) =>
        Number(b.candidate.load.available) - Number(a.candidate.load.available) ||
        b.score - a.score ||
        (tiesByAffinity ? b.candidate.affinity - a.candidate.affinity : 0),
    )
    .map(({ candidate }) => candidate);
}

/** Fisher and Yates, from one uniform number. */
function shuffled(candidates: readonly Candidate[], uniform: number): readonly Candidate[] {
  const random = seededRandom(Math.floor(uniform * 2 ** 32));
  const list = [...candidates];
  for (let last = list.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [list[last], list[other]] = [list[other]!, list[last]!];
  }
  return list;
}
