/** Whether what programs put around a question changes who answers it. */

import { RepeatedLines } from '../../src/deciding/text/repeated-lines.ts';
import { createRouter, type Message, type PromptRouter, type RouterModel } from '../../src/router.ts';
import { readYaml } from './expert-choice.ts';

interface Wrapping {
  readonly name: string;
  readonly system?: string;
  /** Earlier user turns that the program wrote. */
  readonly before?: readonly string[];
  readonly user: string;
}

interface Wrappings {
  readonly questions: Readonly<Record<string, readonly string[]>>;
  readonly wrappings: readonly Wrapping[];
  /** Of programs that no table knows. */
  readonly unknown: readonly Wrapping[];
  /** Of the kinds of `wrappings`, written after the rules. */
  readonly later: readonly Wrapping[];
}

export interface WrappingResult {
  readonly name: string;
  readonly asked: number;
  /** Questions that keep the expert they have by themselves. */
  readonly kept: number;
  readonly moved: readonly string[];
}

/** Six experts, one for each of the questions' subjects, and the fallback. */
export const SIX_EXPERTS = [
  { id: 'code', description: 'Programming: writes, explains and debugs programs' },
  { id: 'maths', description: 'Mathematics: algebra, calculus, probability' },
  { id: 'medicine', description: 'Medicine: symptoms, diseases, treatment' },
  { id: 'writing', description: 'Creative writing: poems, stories, speeches' },
  { id: 'cooking', description: 'Cooking, recipes, ingredients' },
  { id: 'law', description: 'Law: rights, contracts, courts' },
  { id: 'general', fallback: true },
];

export async function judgeWrappings(
  model: RouterModel,
  which: 'wrappings' | 'later' = 'wrappings',
): Promise<readonly WrappingResult[]> {
  const { questions, [which]: wrappings } = readYaml<Wrappings>('wrappings');
  const router = await createRouter({ model, experts: SIX_EXPERTS });
  const all = Object.values(questions).flat();
  const bare = new Map(all.map((question) => [question, router.decide(question).expert]));
  return wrappings.map((wrapping) => judged(router, wrapping, bare));
}

/** Requests of the same program, about other things, before the judged ones. */
const BEFORE = 12;

/** Wrappings of programs that no table knows: at first, and after requests of theirs. */
export async function judgeUnknown(
  model: RouterModel,
  others: readonly string[],
): Promise<readonly { readonly first: WrappingResult; readonly later: WrappingResult }[]> {
  const { questions, unknown } = readYaml<Wrappings>('wrappings');
  const all = Object.values(questions).flat();
  const plain = await createRouter({ model, experts: SIX_EXPERTS });
  const bare = new Map(all.map((question) => [question, plain.decide(question).expert]));
  const results: { first: WrappingResult; later: WrappingResult }[] = [];
  for (const wrapping of unknown) {
    const taught = await createRouter({ model, experts: SIX_EXPERTS, repeated: new RepeatedLines() });
    for (const other of others.slice(0, BEFORE)) ask(taught, wrapping, other);
    const [first, later] = [plain, taught].map((router) => judged(router, wrapping, bare));
    results.push({ first: first!, later: later! });
  }
  return results;
}

function judged(router: PromptRouter, wrapping: Wrapping, bare: ReadonlyMap<string, string>): WrappingResult {
  const moved = Array.from(bare, ([question, expert]) => ({
    question,
    expert,
    got: ask(router, wrapping, question),
  }))
    .filter(({ expert, got }) => expert !== got)
    .map(({ question, expert, got }) => `${expert} -> ${got}: ${question}`);
  return { name: wrapping.name, asked: bare.size, kept: bare.size - moved.length, moved };
}

function ask(router: PromptRouter, { system, before = [], user }: Wrapping, question: string): string {
  const messages: Message[] = [
    ...(system === undefined ? [] : [{ role: 'system', content: system }]),
    ...before.flatMap((content) => [
      { role: 'user', content },
      { role: 'assistant', content: 'Ok.' },
    ]),
    { role: 'user', content: user.replaceAll('{question}', question) },
  ];
  return router.decide(messages).expert;
}
