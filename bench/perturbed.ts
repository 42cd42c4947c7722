/** Augments prompts to any number, for measuring scale: drawn with replacement, words dropped and swapped at random. */
import type { Labelled } from '../evaluation/labelled.ts';
import { seededRandom } from '../src/core/random.ts';

/** All prompts once unchanged, then perturbed copies, up to `size`. */
export function* perturbed(prompts: readonly Labelled[], size: number, seed: number): Generator<Labelled> {
  const random = seededRandom(seed);
  const order = [...prompts.keys()];
  for (let index = order.length - 1; index > 0; index -= 1) {
    const other = random.below(index + 1);
    [order[index], order[other]] = [order[other]!, order[index]!];
  }
  for (let index = 0; index < size; index += 1) {
    if (index < order.length) {
      yield prompts[order[index]!]!;
      continue;
    }
    const prompt = prompts[random.below(prompts.length)]!;
    // Words if there are spaces, else pieces of three characters, as for Japanese.
    const parts =
      prompt.language === 'ja' ? (prompt.text.match(/[\s\S]{1,3}/g) ?? []) : prompt.text.split(' ');
    const kept = parts.filter(() => random.next() > 0.15);
    for (let swap = 0; swap < kept.length / 10; swap += 1) {
      const at = random.below(kept.length);
      kept[at] = parts[random.below(parts.length)]!;
    }
    const text = kept.join(prompt.language === 'ja' ? '' : ' ');
    yield { ...prompt, text: text.trim() === '' ? `${prompt.text} ${index}` : text };
  }
}
