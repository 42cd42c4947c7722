/**
 * Where the router model learned from scores, they say which expert a prompt suits, unless its cluster is pinned to one
 * by the config. What descriptions and samples claim counts beside them, by as much as it explained of the scores. Experts
 * without scores keep what the config gives them by name.
 */
import { chosen, type Fit, fitOf, leadOf, type Price, type Quality } from '../quality/quality.ts';
import { type Claims, claimShares } from './claims.ts';

/** What cost and waiting for the answer are worth, in score from 0 to 1. */
export interface Worth {
  /** Score that an expert must add to be worth one unit of cost more. */
  readonly score_per_cost: number;
  /** Score that an expert must add to be worth one second more. */
  readonly score_per_second: number;
}

/** What was learned, in terms of the experts that there are. */
export interface Learned {
  readonly quality: Quality;
  /** Per expert of the territory: its index in the quality; null if it was not scored. */
  readonly scored: readonly (number | null)[];
  /** Per expert: score to subtract for its price. */
  readonly price: Float64Array;
  /** The best single expert of those that there are, and its lead. */
  readonly best: number;
  readonly headStart: number;
  /** Loss in score that counts as one unit of affinity. */
  readonly unit: number;
  /** What the experts' texts claim; null without texts. */
  readonly claims: Claims | null;
  /** Clusters that the config gives to an expert by name. */
  readonly pinned: ReadonlySet<number>;
}

/** Null if none of the experts was scored. */
export function learnedOf(
  quality: Quality,
  experts: readonly string[],
  pinned: ReadonlySet<number>,
  worth: Worth,
  claims: Claims | null = null,
): Learned | null {
  const scored = experts.map((id) => {
    const index = quality.experts.indexOf(id);
    return index < 0 ? null : index;
  });
  const price = Float64Array.from(scored, (index) =>
    index === null ? 0 : priced(quality.prices[index]!, worth),
  );
  let best = -1;
  scored.forEach((index, expert) => {
    if (index === null) return;
    if (best < 0 || quality.means[index]! - price[expert]! > quality.means[scored[best]!]! - price[best]!)
      best = expert;
  });
  if (best < 0) return null;
  const headStart = leadOf(
    quality.headStart,
    price.some((one) => one !== 0),
  );
  return { quality, scored, price, best, headStart, unit: quality.unit, claims, pinned };
}

function priced({ cost, latency }: Price, { score_per_cost, score_per_second }: Worth): number {
  return (cost ?? 0) * score_per_cost + (latency ?? 0) * score_per_second;
}

/**
 * Expected scores of a prompt, with what the experts' texts claim of it.
 * @param vector of the prompt with its context
 * @returns in the order of the quality's experts
 */
export function expectedOf({ quality, scored, claims }: Learned, vector: Float32Array): Fit {
  if (!claims || !quality.claims?.weight) return fitOf(quality, vector);
  return fitOf(quality, vector, sharesOfScored(claimShares(claims, vector), scored, quality.experts.length));
}

/** The expected score of an expert by its id; null where none was learned for it. */
export function expectedScore(
  learned: Learned | null | undefined,
  vector: Float32Array,
  expert: string,
): number | null {
  const index = learned?.quality.experts.indexOf(expert) ?? -1;
  return !learned || index < 0 ? null : expectedOf(learned, vector).scores[index]!;
}

/** The same shares in the order of the scored experts; 0 for those that are not there. */
export function sharesOfScored(
  shares: Float64Array,
  scored: readonly (number | null)[],
  count: number,
): Float64Array {
  const ordered = new Float64Array(count);
  scored.forEach((index, expert) => {
    if (index !== null) ordered[index] = shares[expert]!;
  });
  return ordered;
}

export interface LearnedChoice {
  /** Index into the territory's experts. */
  readonly expert: number;
  /** exp(−lost score / unit), 1 for the chosen expert and any better one; 0 for experts without scores. */
  readonly affinities: Float64Array;
}

interface Turn {
  readonly cluster: number;
  readonly vector?: Float32Array;
}

/** Remembered by prompt: a conversation and its candidates ask several times. */
const remembered = new WeakMap<Learned, WeakMap<Turn, LearnedChoice>>();

/** Null where scores do not decide: nothing was learned, the cluster is pinned, or the prompt's vector is not known. */
export function learnedChoice(learned: Learned | null | undefined, turn: Turn): LearnedChoice | null {
  if (!learned || !turn.vector || learned.pinned.has(turn.cluster)) return null;
  const known = remembered.get(learned) ?? new WeakMap<Turn, LearnedChoice>();
  remembered.set(learned, known);
  const choice = known.get(turn) ?? freshChoice(learned, turn.vector);
  known.set(turn, choice);
  return choice;
}

/** The experts among which the best is on a share of prompts, the most promising first. */
export interface ExpertSet {
  readonly share: number;
  /** Indexes into the territory's experts. */
  readonly experts: readonly number[];
}

/** @returns null where scores do not decide, or were too few to say */
export function setOf(learned: Learned | null | undefined, turn: Turn): ExpertSet | null {
  const coverage = learned?.quality.evidence.coverage;
  if (!learned || !coverage || !turn.vector || learned.pinned.has(turn.cluster)) return null;
  const { scores } = expectedOf(learned, turn.vector);
  const expected = learned.scored.map((index) =>
    index === null ? Number.NEGATIVE_INFINITY : scores[index]!,
  );
  const least = Math.max(...expected) - coverage.gap;
  const inside = expected.flatMap((score, expert) => (score >= least ? [expert] : []));
  return { share: coverage.share, experts: inside.sort((a, b) => expected[b]! - expected[a]!) };
}

function freshChoice(learned: Learned, vector: Float32Array): LearnedChoice {
  const { scored, price, best, headStart, unit } = learned;
  const { scores } = expectedOf(learned, vector);
  const values = Float64Array.from(scored, (index, expert) =>
    index === null ? Number.NEGATIVE_INFINITY : scores[index]! - price[expert]!,
  );
  const expert = chosen(values, best, headStart);
  const top = values[expert]!;
  return { expert, affinities: values.map((value) => Math.exp(Math.min(0, value - top) / unit)) };
}
