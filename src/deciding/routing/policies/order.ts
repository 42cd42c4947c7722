/** How policies order candidates: by a score, or at random; those that cannot take a request always come last. */
import { seededRandom } from '../../../core/random.ts';
import type { Candidate } from '../policy.ts';

/** By falling score; equal scores by affinity. */
export function byScore(
  candidates: readonly Candidate[],
  score: (candidate: Candidate) => number,
): readonly Candidate[] {
  const scored = candidates.map((candidate) => ({
    candidate,
    available: candidate.load.available,
    score: score(candidate),
  }));
  scored.sort((a, b) =>
    a.available === b.available
      ? b.score - a.score || b.candidate.affinity - a.candidate.affinity
      : Number(b.available) - Number(a.available),
  );
  return scored.map(({ candidate }) => candidate);
}

/** In the order given. */
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
