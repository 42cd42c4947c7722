/**
 * Names for clusters from the words that set their prompts apart. It knows nothing of vectors: words and cluster
 * numbers are all it sees.
 */
import { normalise } from '../text/features.ts';
import { sampleText } from '../text/sampling.ts';
import { wordsOf } from '../text/words.ts';

const NAME_BUDGET = 2_000;
const TOP_TERMS = 12;
const TERMS_IN_NAME = 3;

/** Top terms per cluster, falling: the words of its prompts by weighted log-odds against all other prompts. */
export function topTerms(prompts: readonly string[], labels: Uint32Array, clusters: number): string[][] {
  const inCluster = Array.from({ length: clusters }, () => new Map<string, number>());
  const overall = new Map<string, number>();
  const sizes = new Uint32Array(clusters);
  prompts.forEach((prompt, index) => {
    const label = labels[index]!;
    sizes[label]! += 1;
    for (const word of nameWords(prompt)) {
      inCluster[label]!.set(word, (inCluster[label]!.get(word) ?? 0) + 1);
      overall.set(word, (overall.get(word) ?? 0) + 1);
    }
  });
  return inCluster.map((words, label) => {
    const scored = [...words].map(([word, count]) => ({
      word,
      score: score(count, sizes[label]!, overall.get(word)!, prompts.length),
    }));
    scored.sort((a, b) => b.score - a.score || (a.word < b.word ? -1 : 1));
    return scored.slice(0, TOP_TERMS).map(({ word }) => word);
  });
}

/** How much a word tells of a cluster: its share inside times the log of how much denser it is there. */
function score(inside: number, size: number, overall: number, prompts: number): number {
  const shareInside = inside / size;
  const shareOutside = (overall - inside + 0.5) / (prompts - size + 1);
  return inside < 2 && size > 3 ? 0 : shareInside * Math.log(shareInside / shareOutside);
}

function nameWords(prompt: string): Set<string> {
  const text = normalise(sampleText(prompt, NAME_BUDGET));
  const words = new Set<string>();
  for (const word of wordsOf(text)) {
    if (word.kind !== 'word') continue;
    const term = text.slice(word.start, word.end).toLowerCase();
    const least = /^\p{Script=Latin}/u.test(term) ? 3 : 2;
    if (term.length >= least && term.length <= 24) words.add(term);
  }
  return words;
}

/** `python · function · list`; a number tells apart clusters whose words are the same. */
export function namesFrom(terms: readonly (readonly string[])[]): string[] {
  const used = new Map<string, number>();
  return terms.map((words, cluster) => {
    const base = words.slice(0, TERMS_IN_NAME).join(' · ') || `cluster ${cluster}`;
    const times = (used.get(base) ?? 0) + 1;
    used.set(base, times);
    return times === 1 ? base : `${base} (${times})`;
  });
}
