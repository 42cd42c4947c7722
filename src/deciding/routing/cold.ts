/** Where experts that have to be started first stand among those that run. Pure. */
import { costOf } from './cost.ts';
import type { Candidate, RequestView } from './policy.ts';

/**
 * A policy ranks experts that cannot answer now behind those that can. One that starts when it is needed goes before the
 * first that costs more than waiting for it does, its expected start being part of its wait (`costOf`): so a prompt waits
 * for its expert where the start costs less than what the others lack, and goes to the next best where it costs more.
 *
 * @param ranked best first, as the policy has it @returns the same candidates
 */
export function coldPlaced(
  ranked: readonly Candidate[],
  request: Pick<RequestView, 'promptTokens'>,
  secondsPerAffinity?: number,
): readonly Candidate[] {
  if (ranked.every(({ load }) => load.startsIn === undefined)) return ranked;
  const cost = (candidate: Candidate): number => costOf(candidate, request, secondsPerAffinity).total;
  const placed = ranked.filter(({ load }) => load.startsIn === undefined);
  const cold = ranked.filter(({ load }) => load.startsIn !== undefined);
  for (const one of cold.toSorted((a, b) => cost(a) - cost(b))) {
    const own = cost(one);
    const at = placed.findIndex(
      (other) => (!other.load.available && other.load.startsIn === undefined) || cost(other) > own,
    );
    placed.splice(at < 0 ? placed.length : at, 0, one);
  }
  return placed;
}
