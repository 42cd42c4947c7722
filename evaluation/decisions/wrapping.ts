/** Whether what programs put around a question changes who answers it. */
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

export async function judgeWrappings(model: RouterModel): Promise<readonly WrappingResult[]> {
  const { questions, wrappings } = readYaml<Wrappings>('wrappings');
  const router = await createRouter({ model, experts: SIX_EXPERTS });
  const all = Object.values(questions).flat();
  const bare = new Map(all.map((question) => [question, router.decide(question).expert]));
  return wrappings.map((wrapping) => {
    const moved = all.flatMap((question) => {
      const got = ask(router, wrapping, question);
      return got === bare.get(question) ? [] : [`${bare.get(question)} -> ${got}: ${question}`];
    });
    return { name: wrapping.name, asked: all.length, kept: all.length - moved.length, moved };
  });
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
