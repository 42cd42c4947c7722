/**
 * Who claims a prompt: the experts by their descriptions and samples, the fallback by everything else that people ask.
 * Texts are compared with the prompt itself, not with its cluster.
 */
import { TOPICS } from './topics.ts';

/** A text of an expert, embedded. */
export interface ClaimText {
  readonly text: string;
  readonly kind: 'description' | 'sample';
  /** Unit vector of d numbers, or zeros. */
  readonly vector: Float32Array;
}

export interface Claimant {
  readonly texts: readonly ClaimText[];
  readonly fallback: boolean;
}

/** A topic's typical prompts, embedded. */
export interface EmbeddedTopic {
  readonly name: string;
  readonly vectors: readonly Float32Array[];
}

/** A part of an expert's claim: rows from..to of the matrix, each kernel value times `scale`. */
interface Part {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
}

export interface Claims {
  readonly dimensions: number;
  /** rows × dimensions: the texts of all experts, then the topics' prompts. */
  readonly rows: Float32Array;
  /** By expert. */
  readonly parts: readonly (readonly Part[])[];
  /** Rows that are samples, and whose. */
  readonly samples: readonly { readonly row: number; readonly expert: number }[];
  /** Rows of turns that continue any conversation. */
  readonly continuations: { readonly from: number; readonly to: number };
  /** Topics by number: the experts whose texts are about it. */
  readonly topics: readonly (readonly number[])[];
}

/**
 * Width of the kernel exp(cos / T) over cosines. Of several texts the nearest count most; dividing by the root of their
 * number makes up for half of the advantage of many texts.
 */
const TEMPERATURE = 0.1;
/** A description names a subject; a sample is a prompt, and says more. */
const DESCRIPTION_WEIGHT = 0.7;
/** Weight of the typical prompts of the topics that an expert's texts are about. */
const TOPIC_WEIGHT = 1;
/** A text is about its nearest topic if that is nearer than the next by this (on the scale of cosines). */
const TOPIC_LEAD = 0.08;
/** Prompts with the same vector but for rounding are the same. */
const SAME = 0.9999;

/** @returns null where no expert has a text: there is nothing to claim by */
export function claimsOf(
  claimants: readonly Claimant[],
  topics: readonly EmbeddedTopic[],
  dimensions: number,
  continuing: readonly Float32Array[] = [],
): Claims | null {
  if (claimants.every(({ texts }) => texts.length === 0)) return null;
  const vectors: Float32Array[] = [];
  const append = (list: readonly Float32Array[]): Part => {
    const from = vectors.length;
    vectors.push(...list);
    return { from, to: vectors.length, scale: 1 };
  };
  const samples: { row: number; expert: number }[] = [];
  const own = claimants.map(({ texts }, expert) => {
    const described = texts.filter(({ kind }) => kind === 'description').map(({ vector }) => vector);
    const sampled = texts.filter(({ kind }) => kind === 'sample').map(({ vector }) => vector);
    const root = Math.sqrt(Math.max(1, texts.length));
    const first = append(described);
    const second = append(sampled);
    for (let row = second.from; row < second.to; row++) samples.push({ row, expert });
    return [
      { ...first, scale: DESCRIPTION_WEIGHT / root },
      { ...second, scale: 1 / root },
    ].filter(({ from, to }) => to > from);
  });
  const about = topicsOf(claimants, topics);
  // A text of which the embedding knows nothing is no more near to one prompt than to another.
  const rowsOf = topics.map((topic) =>
    append(topic.vectors.filter((vector) => vector.some((one) => one !== 0))),
  );
  const parts = claimants.map(({ fallback }, expert) => {
    const mine = rowsOf.filter(
      (_, topic) => about[topic]!.includes(expert) || (fallback && about[topic]!.length === 0),
    );
    const count = mine.reduce((sum, { from, to }) => sum + to - from, 0);
    const scale = TOPIC_WEIGHT / Math.sqrt(Math.max(1, count));
    return [...own[expert]!, ...mine.map((part) => ({ ...part, scale }))];
  });
  const continuations = append(continuing);
  const rows = new Float32Array(vectors.length * dimensions);
  vectors.forEach((vector, row) => {
    rows.set(vector, row * dimensions);
  });
  return { dimensions, rows, parts, samples, continuations, topics: about };
}

/** For each topic, the experts that one of their texts says are about it. */
function topicsOf(
  claimants: readonly Claimant[],
  topics: readonly EmbeddedTopic[],
): readonly (readonly number[])[] {
  const about: number[][] = topics.map(() => []);
  claimants.forEach(({ texts }, expert) => {
    for (const { vector } of texts) {
      const topic = nearestTopic(vector, topics);
      if (topic !== null && !about[topic]!.includes(expert)) about[topic]!.push(expert);
    }
  });
  return about;
}

function nearestTopic(vector: Float32Array, topics: readonly EmbeddedTopic[]): number | null {
  const scores = topics.map(({ vectors }) => {
    const sum = vectors.reduce((total, one) => total + Math.exp(dot(one, 0, vector) / TEMPERATURE), 0);
    return TEMPERATURE * Math.log(sum / Math.sqrt(vectors.length));
  });
  const best = Math.max(...scores);
  const topic = scores.indexOf(best);
  const next = Math.max(...scores.filter((_, index) => index !== topic));
  return best - next >= TOPIC_LEAD ? topic : null;
}

/**
 * How strongly each expert claims a prompt, relative to the one that claims it most: T · ln of the ratio is the lead in
 * cosines. Zero for an expert without texts that is not the fallback.
 * @param own the prompt without its context, to recognise samples; `vector` when absent
 */
export function claimed(claims: Claims, vector: Float32Array, own: Float32Array = vector): Float64Array {
  const { parts } = claims;
  const fits = Float64Array.from(parts, (list) =>
    list.reduce((sum, part) => sum + kernel(claims, part, vector), 0),
  );
  const most = Math.max(...fits);
  if (most > 0) for (let expert = 0; expert < fits.length; expert++) fits[expert]! /= most;
  const same = sampledBy(claims, own);
  if (same === null) return fits;
  return fits.map((fit, expert) => (expert === same ? 1 : Math.min(fit, BESIDE_A_SAMPLE)));
}

/** The expert of which the prompt is a sample, or null. */
export function sampledBy({ samples, rows, dimensions }: Claims, own: Float32Array): number | null {
  return samples.find(({ row }) => dot(rows, row * dimensions, own) > SAME)?.expert ?? null;
}

/** Another expert's claim to a prompt that is a sample of one, at most. */
const BESIDE_A_SAMPLE = 0.2;

/** The greatest cosine between a turn and one that continues any conversation. */
export function continues({ rows, dimensions, continuations }: Claims, own: Float32Array): number {
  let most = 0;
  for (let row = continuations.from; row < continuations.to; row++)
    most = Math.max(most, dot(rows, row * dimensions, own));
  return most;
}

function kernel({ rows, dimensions }: Claims, { from, to, scale }: Part, vector: Float32Array): number {
  let sum = 0;
  for (let row = from; row < to; row++) sum += Math.exp(dot(rows, row * dimensions, vector) / TEMPERATURE);
  return scale * sum;
}

function dot(rows: Float32Array, at: number, vector: Float32Array): number {
  let sum = 0;
  for (let j = 0; j < vector.length; j++) sum += rows[at + j]! * vector[j]!;
  return sum;
}

/**
 * A description and, where it lists several subjects, each of them: one vector for all would lie between them. Split at
 * commas, semicolons, colons, points and the words for "and".
 */
export function phrasesOf(description: string): readonly string[] {
  const parts = description
    .split(/[,;:.、。・，；：]|\s(?:and|or|und|oder|et|ou|y|o)\s|と(?=[\p{Script=Han}\p{Script=Katakana}])/u)
    .map((part) => part.trim())
    .filter((part) => part.length > 1);
  return parts.length > 1 ? [description, ...parts] : [description];
}

/** Names of the topics that a list of numbers stands for. */
export function topicNames(numbers: readonly number[]): readonly string[] {
  return numbers.map((number) => TOPICS[number]!.name);
}
