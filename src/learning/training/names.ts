/**
 * Names for clusters from the words that set their prompts apart. They stand in a file that is given to others, so what
 * may tell of a person stays out: rare words, words with digits, and words that are written like names.
 */
import { normalise } from '../../deciding/text/features.ts';
import { sampleText } from '../../deciding/text/sampling.ts';
import { wordsOf } from '../../deciding/text/words.ts';
import { FUNCTION_WORDS } from './function-words.ts';

const NAME_BUDGET = 2_000;
const TOP_WORDS = 12;
const WORDS_IN_NAME = 3;
/** A word in fewer prompts than this, of a cluster or of all, tells of those who wrote them. */
export const LEAST_PROMPTS = 5;
/** A word that is written in lower case in a smaller share of its prompts than this is taken for a name. */
const LEAST_LOWER = 0.1;
/** A word in more than this share of all prompts is a function word, unless it is concentrated in the cluster. */
const MOST_OVERALL = 0.03;
const CONCENTRATED = 0.4;

/** Counts words per cluster, prompt by prompt, so that prompts need not be kept. */
export class WordCounts {
  readonly #inside: readonly Map<string, number>[];
  readonly #overall = new Map<string, number>();
  /** Prompts in which a word is also written in lower case, or in a script without case. */
  readonly #lower = new Map<string, number>();
  readonly #leastPrompts: number;
  readonly #sizes: Uint32Array;
  #prompts = 0;

  /** @param leastPrompts prompts that must have a word before it may stand in a name */
  constructor(clusters: number, leastPrompts: number = LEAST_PROMPTS) {
    this.#leastPrompts = leastPrompts;
    this.#inside = Array.from({ length: clusters }, () => new Map());
    this.#sizes = new Uint32Array(clusters);
  }

  add(prompt: string, cluster: number): void {
    this.#prompts += 1;
    this.#sizes[cluster]! += 1;
    const own = this.#inside[cluster]!;
    for (const [word, lower] of nameWords(prompt)) {
      if (lower) this.#lower.set(word, (this.#lower.get(word) ?? 0) + 1);
      own.set(word, (own.get(word) ?? 0) + 1);
      this.#overall.set(word, (this.#overall.get(word) ?? 0) + 1);
    }
  }

  /** Per cluster its most characteristic words, best first. */
  topWords(): readonly (readonly string[])[] {
    return this.#inside.map((words, cluster) => {
      const scored = [...words].map(([word, count]) => ({ word, score: this.#score(word, count, cluster) }));
      scored.sort((a, b) => b.score - a.score || (a.word < b.word ? -1 : 1));
      return scored
        .filter((one) => one.score > 0)
        .slice(0, TOP_WORDS)
        .map((one) => one.word);
    });
  }

  /** Favours words that are both frequent in the cluster and denser there than elsewhere. */
  #score(word: string, count: number, cluster: number): number {
    const size = this.#sizes[cluster]!;
    const overall = this.#overall.get(word)!;
    const grammar =
      overall > MOST_OVERALL * this.#prompts && count < CONCENTRATED * overall && this.#prompts > 200;
    if (grammar || count < this.#leastPrompts || this.#isName(word, overall)) return 0;
    const inside = count / size;
    const outside = (overall - count + 0.5) / (this.#prompts - size + 1);
    return inside ** 0.6 * Math.log(inside / outside);
  }

  /** In languages that write every noun with a capital this loses nouns; the other way would lose names. */
  #isName(word: string, overall: number): boolean {
    return (this.#lower.get(word) ?? 0) < LEAST_LOWER * overall;
  }
}

/** The words of a prompt, in lower case, and whether each is written so somewhere in it. */
function nameWords(prompt: string): ReadonlyMap<string, boolean> {
  const text = normalise(sampleText(prompt, NAME_BUDGET));
  const words = new Map<string, boolean>();
  for (const word of wordsOf(text)) {
    if (word.kind !== 'word') continue;
    const written = text.slice(word.start, word.end);
    const lower = written.toLowerCase();
    if (/\p{N}/u.test(lower) || FUNCTION_WORDS.has(lower)) continue;
    const least = /^\p{Script=Latin}/u.test(lower) ? 3 : 2;
    if (lower.length >= least && lower.length <= 24) words.set(lower, words.get(lower) || written === lower);
  }
  return words;
}

/**
 * `python · function · list`; a number distinguishes clusters with the same words.
 * @param topics by cluster, those of its prompts as far as they have one: what a cluster is called by whose prompts have too
 *   few words in common
 */
export function namesFrom(
  topWords: readonly (readonly string[])[],
  topics: readonly (readonly (string | null)[])[] = [],
): string[] {
  return distinctNames(
    topWords.map((words, cluster) => {
      const own = withoutVariants(words).slice(0, WORDS_IN_NAME);
      const parts = own.length > 0 ? own : commonest(topics[cluster] ?? []);
      return parts.join(' · ') || `cluster ${cluster}`;
    }),
  );
}

/** A topic of this share of a cluster's prompts names it. */
const LEAST_SHARE = 0.2;
const TOPICS_IN_NAME = 2;

function commonest(topics: readonly (string | null)[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const topic of topics) if (topic !== null) counts.set(topic, (counts.get(topic) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count >= LEAST_SHARE * topics.length)
    .sort(([a, some], [b, others]) => others - some || (a < b ? -1 : 1))
    .slice(0, TOPICS_IN_NAME)
    .map(([topic]) => topic);
}

/** Appends a number to repeated names. */
export function distinctNames(names: readonly string[]): string[] {
  const used = new Set<string>();
  return names.map((name) => {
    let own = name;
    for (let times = 2; used.has(own); times += 1) own = `${name} (${times})`;
    used.add(own);
    return own;
  });
}

/** Drops words that share a prefix with a stronger one: card and cards, 特徴 and 特徴的. */
function withoutVariants(words: readonly string[]): readonly string[] {
  return words.filter(
    (word, index) => !words.slice(0, index).some((other) => other.startsWith(word) || word.startsWith(other)),
  );
}
