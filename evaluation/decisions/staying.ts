/** Whether short replies stay with their expert and changes of subject are followed, over topics and languages. */
import { createRouter, type Message, type RouterModel } from '../../src/router.ts';
import { readYaml } from './expert-choice.ts';

type Language = 'en' | 'ja' | 'de' | 'fr';
type Opening = { readonly topic: string } & Readonly<Record<Language, string>>;

export interface Conversations {
  readonly openings: readonly Opening[];
  readonly continuations: Readonly<Record<Language, readonly string[]>>;
  readonly switches: Readonly<Record<Language, readonly { readonly topic: string; readonly text: string }[]>>;
}

export interface StayingResult {
  readonly replies: number;
  readonly left: number;
  readonly switches: number;
  readonly followed: number;
  /** Changes that are followed where the conversation has so many tokens. */
  readonly after: readonly { readonly tokens: number; readonly followed: number }[];
  readonly examples: { readonly left: readonly string[]; readonly missed: readonly string[] };
}

/** A long conversation, in tokens. */
const LENGTHS = [4_000, 16_000, 64_000];

interface Judged {
  readonly right: boolean;
  /** For people: what was wanted, what came, and after what. */
  readonly what: string;
}

export const LANGUAGES: readonly Language[] = ['en', 'ja', 'de', 'fr'];

/** Eight experts as in the evaluation's sets: the switches' topics are theirs. */
export const EIGHT_EXPERTS = [
  { id: 'code', description: 'Writes, explains and debugs programs, scripts and databases' },
  { id: 'maths', description: 'Mathematics: arithmetic, algebra, calculus, probability' },
  { id: 'medicine', description: 'Medicine and health: symptoms, diseases, drugs, treatment' },
  { id: 'law', description: 'Law: contracts, tenancy, employment, rights, courts' },
  { id: 'writing', description: 'Poems, stories, songs, speeches' },
  { id: 'cooking', description: 'Cooking, recipes, ingredients, baking' },
  { id: 'travel', description: 'Travel: flights, hotels, sights, visas' },
  { id: 'general', fallback: true },
];

/**
 * A switch counts as followed if the turn goes to its own subject's expert after an opening on another one. It counts at
 * all where it goes there alone, and the opening does not.
 */
export async function judgeStaying(model: RouterModel): Promise<StayingResult> {
  const { openings, continuations, switches } = readYaml<Conversations>('conversations');
  const router = await createRouter({ model, experts: EIGHT_EXPERTS });
  const after = (opening: string, turn: string): readonly Message[] => [
    { role: 'user', content: opening },
    { role: 'assistant', content: 'Here it is.' },
    { role: 'user', content: turn },
  ];
  const replies: Judged[] = [];
  const changes: Judged[] = [];
  const long = LENGTHS.map((tokens) => ({ tokens, followed: 0 }));
  for (const { topic: subject, ...texts } of openings)
    for (const language of LANGUAGES) {
      const first = texts[language];
      const home = router.decide(first).expert;
      const judged = (text: string, wanted: string): Judged => {
        const { expert } = router.decide(after(first, text));
        return { right: expert === wanted, what: `${wanted} -> ${expert}: ${first.slice(0, 30)} … ${text}` };
      };
      replies.push(...continuations[language].map((text) => judged(text, home)));
      const others = switches[language].filter(({ topic }) => topic !== subject);
      for (const { topic, text } of others) {
        const alone = router.decide(text).expert;
        if (alone !== topic || alone === home) continue;
        changes.push(judged(text, alone));
        for (const one of long) {
          const request = { promptTokens: one.tokens };
          if (router.decide(after(first, text), { request }).expert === alone) one.followed += 1;
        }
      }
    }
  const wrong = (list: readonly Judged[]): readonly string[] =>
    list.filter(({ right }) => !right).map(({ what }) => what);
  const left = wrong(replies);
  const missed = wrong(changes);
  return {
    replies: replies.length,
    left: left.length,
    switches: changes.length,
    followed: changes.length - missed.length,
    after: long,
    examples: { left, missed },
  };
}
