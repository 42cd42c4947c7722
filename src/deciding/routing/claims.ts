/**
 * Who claims a prompt: the experts by their descriptions and samples, the fallback by everything else that people ask.
 * Texts are compared with the prompt itself, not with its cluster.
 */
import { DotTable } from '../model/dot-table.ts';
import { namedTopics } from './topic-names.ts';
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
  /** The wider topic that it is a part of, or itself. */
  readonly of: string;
  readonly vectors: readonly Float32Array[];
}

/** Rows from..to of the matrix. */
interface Rows {
  readonly from: number;
  readonly to: number;
}

/** A part of an expert's claim: a run of rows by its number, the sum of their kernel values times `scale`. */
interface Part {
  readonly run: number;
  readonly scale: number;
}

export interface Claims {
  /** The texts of all experts, the topics' prompts and the turns that continue conversations. */
  readonly table: DotTable;
  /** What parts are made of; experts that are about one topic share its run, and those that nobody claims by are left out. */
  readonly runs: readonly Rows[];
  /** By expert. */
  readonly parts: readonly (readonly Part[])[];
  /** Rows that are samples, by expert in their order. */
  readonly samples: readonly (Rows & { readonly expert: number })[];
  /** Rows of turns that continue any conversation. */
  readonly continuations: Rows;
  /** Topics by number: the experts whose texts are about it, or, where none is, about the wider topic. */
  readonly topics: readonly (readonly number[])[];
}

/**
 * Width of the kernel exp(cos / T) over cosines. Of several texts the nearest count most; dividing by the root of their
 * number makes up for half of the advantage of many texts.
 */
const TEMPERATURE = 0.08;
/** The same for the typical prompts of topics, of which the fallback may have most: a little more is made up for. */
const TOPIC_COUNT_POWER = 0.6;
/**
 * Lead (on the scale of cosines) that makes a claim e times weaker: a unit of its own, so that what moves conversations
 * does not depend on the width of the kernel.
 */
const CLAIM_LEAD = 0.1;
/** A description names a subject; a sample is a prompt, and says more. */
const DESCRIPTION_WEIGHT = 0.7;
/** Weight of the typical prompts of the topics that an expert's texts are about. */
const TOPIC_WEIGHT = 1;
/** A text is about its nearest topic if that is nearer than the next by this (on the scale of cosines). */
const TOPIC_LEAD = 0.08;
/** The kernel at each 1/1024 of a cosine, from −1 to a little above 1. */
const STEPS = 1_024;
const KERNEL = Float64Array.from({ length: 2 * STEPS + 3 }, (_, at) =>
  Math.exp((at / STEPS - 1) / TEMPERATURE),
);
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
  const append = (list: readonly Float32Array[]): Rows => {
    const from = vectors.length;
    vectors.push(...list);
    return { from, to: vectors.length };
  };
  const runs: Rows[] = [];
  const runOf = (rows: Rows): number => runs.push(rows) - 1;
  const samples: (Rows & { expert: number })[] = [];
  const own = claimants.map(({ texts }, expert): readonly Part[] => {
    const described = texts.filter(({ kind }) => kind === 'description').map(({ vector }) => vector);
    const sampled = texts.filter(({ kind }) => kind === 'sample').map(({ vector }) => vector);
    const root = Math.sqrt(Math.max(1, texts.length));
    const parts: Part[] = [];
    if (described.length > 0) parts.push({ run: runOf(append(described)), scale: DESCRIPTION_WEIGHT / root });
    if (sampled.length === 0) return parts;
    const rows = append(sampled);
    samples.push({ ...rows, expert });
    return [...parts, { run: runOf(rows), scale: 1 / root }];
  });
  const about = topicsOf(claimants, topics);
  const mine = claimants.map(({ fallback }, expert) =>
    topics.flatMap((_, topic) =>
      about[topic]!.includes(expert) || (fallback && about[topic]!.length === 0) ? [topic] : [],
    ),
  );
  const runOfTopic = topics.map((topic, number) =>
    // A text of which the embedding knows nothing is no more near to one prompt than to another.
    mine.some((list) => list.includes(number))
      ? runOf(append(topic.vectors.filter((vector) => vector.some((one) => one !== 0))))
      : -1,
  );
  const parts = mine.map((list, expert) => {
    const count = list.reduce((sum, topic) => sum + lengthOf(runs[runOfTopic[topic]!]!), 0);
    const scale = TOPIC_WEIGHT / Math.max(1, count) ** TOPIC_COUNT_POWER;
    return [...own[expert]!, ...list.map((topic) => ({ run: runOfTopic[topic]!, scale }))];
  });
  const continuations = append(continuing);
  return { table: new DotTable(vectors, dimensions), runs, parts, samples, continuations, topics: about };
}

function lengthOf({ from, to }: Rows): number {
  return to - from;
}

/**
 * For each topic, the experts whose texts say that they are about it. One that does so by a single text, having another
 * topic with more, gives way to one that does so by three or more: "scripts" of a writer are no programs beside `code`.
 */
function topicsOf(
  claimants: readonly Claimant[],
  topics: readonly EmbeddedTopic[],
): readonly (readonly number[])[] {
  const mentions = claimants.map(({ texts }) => mentionsOf(texts, topics));
  const main = mentions.map((counts) => Math.max(0, ...counts.values()));
  const about = topics.map((_, topic) => {
    const most = Math.max(0, ...mentions.map((counts) => counts.get(topic) ?? 0));
    const byChance = (count: number, expert: number): boolean =>
      count === 1 && main[expert]! > 1 && most >= MANY_MENTIONS;
    return mentions.flatMap((counts, expert) => {
      const count = counts.get(topic);
      return count === undefined || byChance(count, expert) ? [] : [expert];
    });
  });
  return withWholes(about, topics);
}

/**
 * A wider topic belongs to those that are about it and none of its parts ("programs" beside "Docker"); where all that are about
 * it divide it among them ("React", "SQL in Java"), to each of them. A part that nobody is about goes with the whole.
 */
function withWholes(
  about: readonly (readonly number[])[],
  topics: readonly EmbeddedTopic[],
): readonly (readonly number[])[] {
  const wholes = about.map((experts, topic) => {
    const dividing = new Set(
      about.flatMap((own, part) => (part !== topic && wider(topics, part) === topic ? own : [])),
    );
    const undivided = experts.filter((expert) => !dividing.has(expert));
    if (undivided.length > 0 || (experts.length === 0 && dividing.size < 2)) return undivided;
    return [...new Set([...experts, ...dividing])];
  });
  return wholes.map((experts, topic) => (experts.length > 0 ? experts : wholes[wider(topics, topic)]!));
}

/** The number of the wider topic, or the topic itself. */
function wider(topics: readonly EmbeddedTopic[], topic: number): number {
  const { of } = topics[topic]!;
  return topics.findIndex(({ name }) => name === of);
}

const MANY_MENTIONS = 3;

/**
 * How many texts name each topic: of descriptions, and of samples, of which a topic of less than half as many as another
 * is taken for a chance likeness ("Which dose is safe?" beside "Is it safe to walk there?").
 */
function mentionsOf(
  texts: readonly ClaimText[],
  topics: readonly EmbeddedTopic[],
): ReadonlyMap<number, number> {
  const described = new Map<number, number>();
  const sampled = new Map<number, number>();
  const parts = texts.filter(({ kind }) => kind === 'description');
  for (const one of texts) {
    const { text, vector, kind } = one;
    // The whole of a description comes before its parts, and its names are theirs.
    if (one === parts[0] && parts.length > 1 && namedTopics(text).length > 0) continue;
    const counts = kind === 'description' ? described : sampled;
    for (const topic of subjectsOf(text, kind, vector, topics))
      counts.set(topic, (counts.get(topic) ?? 0) + 1);
  }
  const most = Math.max(0, ...sampled.values());
  for (const [topic, count] of sampled)
    if (described.has(topic) || 2 * count > most) described.set(topic, (described.get(topic) ?? 0) + count);
  return described;
}

/**
 * The topics that a description calls by name; where it names none, the one that it is nearest to. A sample is a prompt, which
 * may name anything in passing: of it the nearest counts, unless it names others instead ("Fix this bug" beside "fix my CV").
 */
function subjectsOf(
  text: string,
  kind: ClaimText['kind'],
  vector: Float32Array,
  topics: readonly EmbeddedTopic[],
): readonly number[] {
  const names = namedTopics(text);
  const named = topics.flatMap(({ name }, number) => (names.includes(name) ? [number] : []));
  if (kind === 'description' && named.length > 0) return named;
  const nearest = nearestTopic(vector, topics);
  const families = named.map((topic) => wider(topics, topic));
  return named.length > 0 ? nearest.filter((topic) => families.includes(topic)) : nearest;
}

/**
 * The nearest topic, or none; of a part, the wider topic.
 * @param lead by which it must be nearer than any of another topic, on the scale of cosines
 */
export function nearestTopic(
  vector: Float32Array,
  topics: readonly EmbeddedTopic[],
  lead: number = TOPIC_LEAD,
): readonly number[] {
  if (topics.length === 0) return [];
  const scores = topics.map(({ vectors }) => {
    const sum = vectors.reduce((total, one) => total + Math.exp(dot(one, vector) / TEMPERATURE), 0);
    return TEMPERATURE * Math.log(sum / Math.sqrt(vectors.length));
  });
  const best = Math.max(...scores);
  const topic = scores.indexOf(best);
  const { of } = topics[topic]!;
  const next = Math.max(...scores.filter((_, index) => topics[index]!.of !== of));
  return best - next >= lead ? [wider(topics, topic)] : [];
}

/**
 * How strongly each expert claims a prompt, relative to the one that claims it most: exp(−lead / CLAIM_LEAD), the lead
 * in cosines being T · ln of the ratio of their sums. Zero for an expert without texts that is not the fallback.
 * @param own the prompt without its context, to recognise samples; `vector` when absent
 */
export function claimed(claims: Claims, vector: Float32Array, own: Float32Array = vector): Float64Array {
  return claimedBeside(claims, vector, sampledBy(claims, own));
}

/** @param same the expert of which the prompt is a sample, or null */
export function claimedBeside(claims: Claims, vector: Float32Array, same: number | null): Float64Array {
  const { parts, runs, table } = claims;
  const cosines = table.dots(vector);
  const sums = runs.map(({ from, to }) => {
    let sum = 0;
    for (let row = from; row < to; row++) sum += kernel(cosines[row]!);
    return sum;
  });
  const fits = new Float64Array(parts.length);
  let most = 0;
  for (let expert = 0; expert < fits.length; expert++) {
    for (const { run, scale } of parts[expert]!) fits[expert]! += scale * sums[run]!;
    if (fits[expert]! > most) most = fits[expert]!;
  }
  if (most > 0)
    for (let expert = 0; expert < fits.length; expert++)
      fits[expert] = (fits[expert]! / most) ** (TEMPERATURE / CLAIM_LEAD);
  if (same === null) return fits;
  return fits.map((fit, expert) => (expert === same ? 1 : Math.min(fit, BESIDE_A_SAMPLE)));
}

/** What each expert claims of a prompt, as a share of what all claim: one in all, or zeros. */
export function claimShares(claims: Claims, vector: Float32Array): Float64Array {
  const fits = claimedBeside(claims, vector, null);
  const sum = fits.reduce((total, fit) => total + fit, 0);
  return sum > 0 ? fits.map((fit) => fit / sum) : fits;
}

/** An expert's claim to a prompt, T · ln of its sum, and how it changes with the prompt's vector. */
export interface ClaimSlope {
  readonly claim: number;
  /** Along each number of the vector: the mean of the expert's rows, each by its part of the sum. */
  readonly slope: Float64Array;
}

/** @returns null for an expert that claims nothing */
export function claimSlope(
  { parts, runs, table }: Claims,
  vector: Float32Array,
  expert: number,
): ClaimSlope | null {
  const cosines = table.dots(vector);
  const slope = new Float64Array(vector.length);
  let sum = 0;
  for (const { run, scale } of parts[expert]!)
    for (let row = runs[run]!.from; row < runs[run]!.to; row++) {
      const value = scale * kernel(cosines[row]!);
      sum += value;
      table.addRow(row, value, slope);
    }
  if (sum === 0) return null;
  return { claim: TEMPERATURE * Math.log(sum), slope: slope.map((value) => value / sum) };
}

/** exp(cos / T) from the table, between its entries along a line: to 2 in 100,000, at a tenth of the price. */
function kernel(cosine: number): number {
  const place = Math.max(0, Math.min(2 * STEPS + 1, (cosine + 1) * STEPS));
  const at = place | 0;
  const below = KERNEL[at]!;
  return below + (place - at) * (KERNEL[at + 1]! - below);
}

/** The expert of which the prompt is a sample, or null. */
export function sampledBy({ samples, table }: Claims, own: Float32Array): number | null {
  const cosines = table.dots(own);
  for (const { from, to, expert } of samples)
    for (let row = from; row < to; row++) if (cosines[row]! > SAME) return expert;
  return null;
}

/** Another expert's claim to a prompt that is a sample of one, at most. */
const BESIDE_A_SAMPLE = 0.2;

/** The greatest cosine between a turn and one that continues any conversation; 0 where none is positive. */
export function continues({ continuations: { from, to }, table }: Claims, own: Float32Array): number {
  const cosines = table.dots(own);
  let most = 0;
  for (let row = from; row < to; row++) most = Math.max(most, cosines[row]!);
  return most;
}

function dot(one: Float32Array, other: Float32Array): number {
  let sum = 0;
  for (let j = 0; j < other.length; j++) sum += one[j]! * other[j]!;
  return sum;
}

/**
 * A description and, where it lists several subjects, each of them: one vector for all would lie between them. Split at
 * commas, semicolons, colons, points and the words for "and". What any assistant does is no subject: of "Writes,
 * explains and debugs programs" only the last part says something by itself.
 */
export function phrasesOf(description: string): readonly string[] {
  const parts = description
    .split(/[,;:.、。・，；：]|\s(?:and|or|und|oder|et|ou|y|o)\s|と(?=[\p{Script=Han}\p{Script=Katakana}])/u)
    .map((part) => part.trim())
    .filter((part) => part.length > 1);
  const subjects = parts.filter((part) => !ANY_ASSISTANT.test(part));
  return parts.length > 1 ? [description, ...subjects] : [description];
}

/** A verb of what any assistant does, without an object. */
const ANY_ASSISTANT =
  /^(?:writ|explain|answer|help|handl|mak|giv|creat|generat|improv|discuss|understand|teach|review|check|advis|assist|support|provid)(?:e?s|e|ing)?$/iu;

/** Names of the topics that a list of numbers stands for. */
export function topicNames(numbers: readonly number[]): readonly string[] {
  return numbers.map((number) => TOPICS[number]!.name);
}
