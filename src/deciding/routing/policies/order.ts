/** How policies order candidates: by a score, or at random; those that cannot take a request always come last. */
import { seededRandom } from '../../../core/random.ts';
import type { Candidate, Policy, RequestView } from '../policy.ts';

/**
 * A policy that orders candidates by a score: the whole ranking, and its first alone.
 * @param atMost the score of any candidate of so much affinity, at most, and no less for more affinity: with candidates
 *   sorted by affinity the search for the first ends where nobody after can be better
 */
export function byScoreOf<O>(
  score: (candidate: Candidate, request: RequestView, options: O) => number,
  atMost: (affinity: number, options: O) => number = () => Number.POSITIVE_INFINITY,
): Required<Pick<Policy<O>, 'rank' | 'best'>> {
  return {
    rank: ({ candidates, request }, options) =>
      byScore(candidates, (candidate) => score(candidate, request, options)),
    best({ candidates, byAffinity, request }, options) {
      const list = byAffinity ?? candidates;
      let best = list[0]!;
      let most = score(best, request, options);
      for (let index = 1; index < list.length; index++) {
        const candidate = list[index]!;
        if (byAffinity && best.load.available && atMost(candidate.affinity, options) <= most) break;
        const own = score(candidate, request, options);
        if (!precedes(candidate, own, best, most)) continue;
        best = candidate;
        most = own;
      }
      return best;
    },
  };
}

/**
 * By descending score; equal scores by affinity. Sorted by binary insertion, which for tens of experts takes a fraction
 * of the time of a sort with a comparator.
 */
export function byScore(
  candidates: readonly Candidate[],
  score: (candidate: Candidate) => number,
): readonly Candidate[] {
  const ranked: Candidate[] = [];
  const scores = new Float64Array(candidates.length);
  for (let count = 0; count < candidates.length; count++) {
    const candidate = candidates[count]!;
    const own = score(candidate);
    let at = 0;
    for (let end = count; at < end; ) {
      const middle = (at + end) >> 1;
      if (precedes(candidate, own, ranked[middle]!, scores[middle]!)) end = middle;
      else at = middle + 1;
    }
    for (let place = count; place > at; place--) {
      ranked[place] = ranked[place - 1]!;
      scores[place] = scores[place - 1]!;
    }
    ranked[at] = candidate;
    scores[at] = own;
  }
  return ranked;
}

function precedes(one: Candidate, score: number, other: Candidate, otherScore: number): boolean {
  if (one.load.available !== other.load.available) return one.load.available;
  return score === otherScore ? one.affinity > other.affinity : score > otherScore;
}

/** Keeps the given order otherwise. */
export function availableFirst(candidates: readonly Candidate[]): readonly Candidate[] {
  if (candidates.every(({ load }) => load.available)) return candidates;
  return [
    ...candidates.filter(({ load }) => load.available),
    ...candidates.filter(({ load }) => !load.available),
  ];
}

/** Fisher and Yates, from one uniform number. */
export function shuffled(candidates: readonly Candidate[], uniform: number): readonly Candidate[] {
  const random = seededRandom(Math.floor(uniform * 2 ** 32));
  const list = [...candidates];
  for (let last = list.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [list[last], list[other]] = [list[other]!, list[last]!];
  }
  return list;
}
