/** Names clusters by the words that distinguish their prompts. */
import { normalise } from '../../deciding/text/features.ts';
import { sampleText } from '../../deciding/text/sampling.ts';
import { wordsOf } from '../../deciding/text/words.ts';

const NAME_BUDGET = 2_000;
const TOP_WORDS = 12;
const WORDS_IN_NAME = 3;
/** A word in fewer prompts of a cluster than this is ignored. */
const LEAST_INSIDE = 3;
/** A word in more than this share of all prompts is a function word, unless it is concentrated in the cluster. */
const MOST_OVERALL = 0.03;
const CONCENTRATED = 0.4;

/** Counts words per cluster, prompt by prompt, so that prompts need not be kept. */
export class WordCounts {
  readonly #inside: readonly Map<string, number>[];
  readonly #overall = new Map<string, number>();
  readonly #sizes: Uint32Array;
  #prompts = 0;

  constructor(clusters: number) {
    this.#inside = Array.from({ length: clusters }, () => new Map());
    this.#sizes = new Uint32Array(clusters);
  }

  add(prompt: string, cluster: number): void {
    this.#prompts += 1;
    this.#sizes[cluster]! += 1;
    const own = this.#inside[cluster]!;
    for (const word of nameWords(prompt)) {
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
    if (grammar || count < Math.min(LEAST_INSIDE, size)) return 0;
    const inside = count / size;
    const outside = (overall - count + 0.5) / (this.#prompts - size + 1);
    return inside ** 0.6 * Math.log(inside / outside);
  }
}

function nameWords(prompt: string): Set<string> {
  const text = normalise(sampleText(prompt, NAME_BUDGET));
  const words = new Set<string>();
  for (const word of wordsOf(text)) {
    if (word.kind !== 'word') continue;
    const lower = text.slice(word.start, word.end).toLowerCase();
    const least = /^\p{Script=Latin}/u.test(lower) ? 3 : 2;
    if (lower.length >= least && lower.length <= 24) words.add(lower);
  }
  return words;
}

/** `python · function · list`; a number distinguishes clusters with the same words. */
export function namesFrom(topWords: readonly (readonly string[])[]): string[] {
  return distinctNames(
    topWords.map(
      (words, cluster) => withoutVariants(words).slice(0, WORDS_IN_NAME).join(' · ') || `cluster ${cluster}`,
    ),
  );
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
