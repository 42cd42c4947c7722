/** What known families of models are for, by parts of their names, as a person would describe it in a config. */

/** Part of a model's name → a description; the first that fits. Broad families make no entry: they are for everything. */
const FAMILIES: readonly (readonly [RegExp, string])[] = [
  [/sqlcoder|text2sql|nsql/i, 'Databases: writes and explains SQL queries'],
  [
    /med(gemma|alpaca|llama|itron|lm)|biomed|biomistral|clinical|doctor/i,
    'Medicine: symptoms, diseases, drugs, treatment',
  ],
  [/saul|(^|[-_/])(law|legal)/i, 'Law: contracts, rights, courts'],
  [/fin(gpt|ma|llama)|(^|[-_/])finance/i, 'Finance: shares, companies, markets, accounting'],
  [
    /(^|[-_/])(vl|vision|llava|pixtral|moondream)([-_.:]|$)|-vl-|llava|pixtral|moondream/i,
    'Describes pictures and reads text in them',
  ],
  [/translat|nllb|madlad|towerinstruct|(^|[-_/])alma([-_.:]|$)/i, 'Translates between languages'],
  [/story|(^|[-_/])writer|novel|mythomax|fimbulvetr/i, 'Creative writing: stories, poems, dialogues'],
  [/chem(llm|dfm)|astro(llama|sage)|galactica/i, 'Science: physics, chemistry, biology, astronomy'],
];

/** A description of what a model is for; null where its name does not tell. */
export function familyOf(model: string): string | null {
  return FAMILIES.find(([pattern]) => pattern.test(model))?.[1] ?? null;
}
