/**
 * Exploration: now and then a new conversation goes to an expert that may be better than is known, so that feedback can
 * say whether it is. Thompson sampling (Thompson 1933; Chapelle & Li, NIPS 2011): a score is drawn for each expert from
 * what is believed of it here, and the highest wins, so that experts are tried as often as they may be the best.
 */
import type { Random } from '../../core/random.ts';
import { expectedOf, type Learned } from './learned.ts';
import type { LoadSnapshot } from './policy.ts';
import type { Classified, Territory } from './territory.ts';

/**
 * The expert to try; null where the config has decided (a pinned cluster) or nobody is available. Where nothing was
 * learned, all are equally likely.
 */
export function explored(
  { experts, learned }: Pick<Territory, 'experts' | 'learned'>,
  turn: Classified,
  loads: readonly LoadSnapshot[],
  random: Random,
): string | null {
  if (learned?.pinned.has(turn.cluster)) return null;
  const draws =
    learned && turn.vector ? drawnScores(learned, turn.vector, random) : experts.map(() => random.next());
  let best: number | null = null;
  draws.forEach((draw, expert) => {
    if (loads[expert]!.available && (best === null || draw > draws[best]!)) best = expert;
  });
  return best === null ? null : experts[best]!;
}

/** Of an expert that was never scored no more is believed than that it is one of these. */
function drawnScores(learned: Learned, vector: Float32Array, random: Random): number[] {
  const { quality, scored, price } = learned;
  const { scores, standardErrors } = expectedOf(learned, vector);
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const spread = Math.sqrt(scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / scores.length);
  const unknown = Math.max(spread, quality.unit);
  return scored.map((index, expert) =>
    index === null
      ? mean + unknown * random.normal()
      : scores[index]! + standardErrors[index]! * random.normal() - price[expert]!,
  );
}
