/** Prompts that mean the same and are written otherwise, and texts that mean nothing. */
import type { Random } from '../../core/random.ts';

export interface Perturbation {
  readonly name: string;
  readonly of: (prompt: string, random: Random) => string;
}

const TEMPLATES: readonly ((prompt: string) => string)[] = [
  (prompt) => `Please answer the following: ${prompt}`,
  (prompt) => `Hi! Could you help me with this?\n\n${prompt}`,
  (prompt) => `${prompt}\n\nThanks in advance!`,
  (prompt) => `I have a question for you. ${prompt} Explain it step by step.`,
];

/** Share of the letters that a careless typist gets wrong. */
const TYPO_SHARE = 0.02;

export const PERTURBATIONS: readonly Perturbation[] = [
  { name: 'typos (1 letter in 50)', of: withTypos },
  { name: 'lower case', of: (prompt) => prompt.toLowerCase() },
  { name: 'upper case', of: (prompt) => prompt.toUpperCase() },
  {
    name: 'paraphrase templates',
    of: (prompt, random) => TEMPLATES[random.below(TEMPLATES.length)]!(prompt),
  },
  { name: 'appended noise', of: (prompt, random) => `${prompt}\n\n${noise(random)}` },
];

/** Neighbouring letters swapped, one left out, or one doubled. */
function withTypos(prompt: string, random: Random): string {
  const letters = [...prompt];
  for (let at = 0; at + 1 < letters.length; at += 1) {
    if (!/\p{L}/u.test(letters[at]!) || random.next() >= TYPO_SHARE) continue;
    const kind = random.below(3);
    if (kind === 0) [letters[at], letters[at + 1]] = [letters[at + 1]!, letters[at]!];
    else letters[at] = kind === 1 ? '' : letters[at]! + letters[at]!;
  }
  return letters.join('');
}

/** An id, a date and a number, as systems append them. */
function noise(random: Random): string {
  const hex = (): string =>
    random
      .below(2 ** 31)
      .toString(16)
      .padStart(8, '0');
  const day = (): string => String(1 + random.below(28)).padStart(2, '0');
  return `ref: ${hex()}-${hex()} | 2026-0${1 + random.below(9)}-${day()} | ${random.below(100_000)}`;
}

const SYLLABLES = 'xy zz qu gl frob nik plu gh ska vro mim tyz worf blen quaz'.split(' ');

/** Words that no language has: for a router they are outside of everything. */
export function gibberish(random: Random): string {
  const word = (): string =>
    Array.from({ length: 2 + random.below(3) }, () => SYLLABLES[random.below(SYLLABLES.length)]).join('');
  return Array.from({ length: 3 + random.below(6) }, word).join(' ');
}
