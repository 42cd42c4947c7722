/** Time of a mixture of experts on one GPU: how many experts a step's tokens meet, and what their products cost. */
import { seededRandom } from '../../core/random.ts';
import type { FeedForward } from '../model/shape.ts';
import type { MixtureEfficiency } from './efficiency.ts';
import { roundedMax } from './gemm.ts';

/** Exponent of the power law by which experts are liked; AIConfigurator's kernels were timed under it. */
const POPULARITY = 1.01;

/** Chance that a token chooses each of `experts`, summing to `active`: rank^-1.01, none above 1. */
export function popularity(experts: number, active: number): readonly number[] {
  const weights = Array.from({ length: experts }, (_, i) => (i + 1) ** -POPULARITY);
  let certain = 0;
  // Whoever would be chosen more than once by a token is chosen once; the others share the rest.
  for (;;) {
    const rest = weights.slice(certain).reduce((a, b) => a + b, 0);
    const scale = rest > 0 ? (active - certain) / rest : 0;
    const more = weights.findIndex((w, i) => i >= certain && scale * w < 1);
    const now = more < 0 ? experts : more;
    if (now === certain) return weights.map((w, i) => (i < certain ? 1 : scale * w));
    certain = now;
  }
}

/** Distinct experts that `tokens` tokens meet. */
export function expertsMet(chances: readonly number[], tokens: number): number {
  let met = 0;
  for (const chance of chances) met += 1 - (1 - chance) ** tokens;
  return met;
}

/** The experts of the busiest of `gpus` GPUs when they are dealt out at random, once for all. */
export function busiest(chances: readonly number[], gpus: number): readonly number[] {
  const random = seededRandom(chances.length);
  const order = chances.map((chance) => ({ chance, at: random.next() })).sort((a, b) => a.at - b.at);
  const each = chances.length / gpus;
  const hands = Array.from({ length: gpus }, (_, g) =>
    order.slice(g * each, (g + 1) * each).map((o) => o.chance),
  );
  const load = (hand: readonly number[]): number => hand.reduce((a, b) => a + b, 0);
  return hands.reduce((most, hand) => (load(hand) > load(most) ? hand : most));
}

export interface MixtureRates {
  /** Bytes and 16-bit or narrower operations per second at their peak. */
  readonly bandwidth: number;
  readonly flops: number;
  readonly weightBytes: number;
  readonly activationBytes: number;
}

/** One GPU's part of a mixture. */
export interface MixtureShape {
  /** Elements of a token going in, and of its expert's slice on this GPU. */
  readonly inner: number;
  readonly width: number;
  readonly gated: boolean;
  /** Chance that a token chooses each expert held here. */
  readonly chances: readonly number[];
}

export function mixtureShape(
  f: FeedForward,
  hidden: number,
  gpus: number,
  expertParallel: boolean,
): MixtureShape {
  const all = popularity(f.experts, f.active);
  const inner = f.latent ?? hidden;
  return expertParallel
    ? { inner, width: f.width, gated: f.gated, chances: busiest(all, gpus) }
    : { inner, width: f.width / gpus, gated: f.gated, chances: all };
}

/** Memory and arithmetic of a mixture for so many tokens: a grouped product, each expert's rows rounded up to tiles. */
export function mixtureTimes(
  e: MixtureEfficiency,
  rates: MixtureRates,
  m: MixtureShape,
  tokens: number,
  met: number,
): readonly [memory: number, compute: number] {
  const chosen = m.chances.reduce((a, b) => a + b, 0);
  const rows = tokens * chosen;
  const weights = ((m.gated ? 2 : 1) + 1) * m.inner * m.width;
  const passing = 2 * rows * (m.inner + m.width) * (rates.activationBytes + 1);
  const bytes = met * weights * rates.weightBytes + passing;
  const work = 2 * (rows + (met * e.tile) / 2) * weights * (1 + e.narrow / m.width);
  return [bytes / (rates.bandwidth * e.bandwidth), work / (rates.flops * e.compute)];
}

/** Seconds of the whole operation, floor included. */
export function mixtureSeconds(
  e: MixtureEfficiency,
  rates: MixtureRates,
  m: MixtureShape,
  tokens: number,
  met = expertsMet(m.chances, tokens),
): number {
  const [memory, compute] = mixtureTimes(e, rates, m, tokens, met);
  return e.floor + e.perExpert * met + roundedMax(memory, compute, e.knee);
}
