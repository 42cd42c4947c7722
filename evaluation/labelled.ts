/**
 * Prompts with topic labels, English and Japanese, from a folder of public corpora, to evaluate clusters. Training
 * never sees the labels.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { seededRandom } from '../src/core/random.ts';

export interface Labelled {
  readonly text: string;
  readonly label: string;
  readonly language: 'en' | 'ja';
}

type Json = Record<string, unknown>;

/** Most prompts taken per label, so that no corpus dominates. */
const MOST_PER_LABEL = 600;

function read(folder: string, path: string): string {
  const full = join(folder, path);
  if (!existsSync(full)) return '';
  const bytes = readFileSync(full);
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
}

function jsonl(folder: string, path: string): Json[] {
  return read(folder, path)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Json);
}

/** JMMLU's 53 subjects grouped into fields. */
const SUBJECTS: Readonly<Record<string, readonly string[]>> = {
  'ja mathematics':
    'abstract_algebra college_mathematics elementary_mathematics high_school_mathematics high_school_statistics'.split(
      ' ',
    ),
  'ja physics':
    'astronomy college_chemistry college_physics conceptual_physics electrical_engineering high_school_physics'.split(
      ' ',
    ),
  'ja medicine':
    'anatomy clinical_knowledge college_biology college_medicine high_school_biology medical_genetics nutrition professional_medicine virology human_aging human_sexuality'.split(
      ' ',
    ),
  'ja computing':
    'college_computer_science computer_security high_school_computer_science machine_learning'.split(' '),
  'ja economics':
    'business_ethics econometrics high_school_macroeconomics high_school_microeconomics management marketing professional_accounting public_relations'.split(
      ' ',
    ),
  'ja law': 'international_law jurisprudence security_studies'.split(' '),
  'ja history': 'high_school_european_history japanese_history prehistory world_history'.split(' '),
  'ja philosophy': 'formal_logic logical_fallacies moral_disputes philosophy world_religions'.split(' '),
  'ja psychology': 'high_school_psychology professional_psychology sociology'.split(' '),
  'ja geography': 'global_facts high_school_geography miscellaneous'.split(' '),
};

function firstCsvCell(line: string): string {
  const quoted = /^"((?:[^"]|"")*)"/.exec(line);
  return quoted ? quoted[1]!.replaceAll('""', '"') : (line.split(',')[0] ?? '');
}

/** Labels that have different names in different corpora. */
const SAME_LABEL: Readonly<Record<string, string>> = {
  coding: 'code',
  math: 'mathematics',
  writing: 'creative_writing',
};

function english(folder: string): Labelled[] {
  const found: Labelled[] = [];
  const add = (text: unknown, label: string): void => {
    const own = `en ${SAME_LABEL[label] ?? label}`;
    if (typeof text === 'string' && text.trim() !== '') found.push({ text, label: own, language: 'en' });
  };
  addClinc(folder, add);
  addBigBenchHard(folder, add);
  for (const { question } of jsonl(folder, 'en/gsm8k/test.jsonl')) add(question, 'mathematics');
  for (const { prompt } of jsonl(folder, 'en/humaneval/HumanEval.jsonl.gz')) add(prompt, 'code');
  for (const { prompt, category, subcategory } of jsonl(folder, 'en/arena-hard/v2.0.question.jsonl')) {
    add(prompt, String(category === 'creative_writing' ? category : (subcategory ?? category)));
  }
  for (const { turns, category } of jsonl(folder, 'en/mt-bench/question.jsonl')) {
    add((turns as string[])[0], String(category));
  }
  const prompts = read(folder, 'en/awesome-chatgpt-prompts/prompts.csv');
  for (const match of prompts.matchAll(/^[^,\n]+,"(I want you to act as[^"]+)"/gm)) add(match[1], 'roleplay');
  return found;
}

type Add = (text: unknown, label: string) => void;

function addClinc(folder: string, add: Add): void {
  const domains = JSON.parse(read(folder, 'en/clinc150/domains.json') || '{}') as Record<string, string[]>;
  const domainOf = new Map(
    Object.entries(domains).flatMap(([domain, intents]) => intents.map((one) => [one, domain])),
  );
  const clinc = JSON.parse(read(folder, 'en/clinc150/data_full.json') || '{}') as Record<
    string,
    [string, string][]
  >;
  for (const split of ['test', 'val']) {
    for (const [text, intent] of clinc[split] ?? []) add(text, domainOf.get(intent) ?? 'other');
  }
}

function addBigBenchHard(folder: string, add: Add): void {
  const tasks = existsSync(join(folder, 'en/bbh')) ? readdirSync(join(folder, 'en/bbh')).sort() : [];
  for (const task of tasks.filter((name) => name.endsWith('.json'))) {
    const { examples } = JSON.parse(read(folder, `en/bbh/${task}`)) as { examples: { input: string }[] };
    for (const { input } of examples) add(input, 'reasoning');
  }
}

function japanese(folder: string): Labelled[] {
  const found: Labelled[] = [];
  const add = (text: unknown, label: string): void => {
    if (typeof text === 'string' && text.trim() !== '') found.push({ text, label, language: 'ja' });
  };
  for (const [label, subjects] of Object.entries(SUBJECTS)) {
    for (const subject of subjects) {
      for (const line of read(folder, `ja/jmmlu/${subject}.csv`).split('\n')) add(firstCsvCell(line), label);
    }
  }
  for (const row of jsonl(folder, 'ja/jglue/jcommonsenseqa-v1.3_valid-v1.3.json'))
    add(row.question, 'ja everyday');
  for (const row of jsonl(folder, 'ja/jglue/jnli-v1.3_valid-v1.3.json').slice(0, 1200))
    add(row.sentence1, 'ja pictures');
  const squad = JSON.parse(read(folder, 'ja/jglue/jsquad-v1.3_valid-v1.3.json') || '{"data":[]}') as {
    data: { paragraphs: { qas: { question: string }[] }[] }[];
  };
  for (const { paragraphs } of squad.data)
    for (const { qas } of paragraphs) for (const { question } of qas) add(question, 'ja encyclopedia');
  for (const line of read(folder, 'ja/mgsm/mgsm_ja.tsv').split('\n'))
    add(line.split('\t')[0], 'ja mathematics');
  for (const { prompt } of jsonl(folder, 'ja/jhuman-eval/jhuman-eval.jsonl.gz')) add(prompt, 'ja code');
  for (const { utterances } of jsonl(folder, 'ja/instruction_ja/data.jsonl')) {
    add((utterances as { text: string }[])[0]?.text, 'ja advice');
  }
  return found;
}

/** At most 600 prompts per label, without labels of fewer than 20; deterministic for a seed. */
export function labelledPrompts(folder: string, seed = 1): Labelled[] {
  const random = seededRandom(seed);
  const byLabel = new Map<string, Labelled[]>();
  for (const one of [...english(folder), ...japanese(folder)]) {
    const list = byLabel.get(one.label);
    if (list) list.push(one);
    else byLabel.set(one.label, [one]);
  }
  return [...byLabel.values()]
    .filter((list) => list.length >= 20)
    .flatMap((list) => drawn(list, random.below));
}

function drawn(list: readonly Labelled[], below: (bound: number) => number): Labelled[] {
  const rest = [...list];
  const chosen: Labelled[] = [];
  while (rest.length > 0 && chosen.length < MOST_PER_LABEL)
    chosen.push(...rest.splice(below(rest.length), 1));
  return chosen;
}

/** clinc150 as its makers split it; `foreign` are requests that fit none of its 150 intents. */
export function clincRequests(folder: string): { train: string[]; test: string[]; foreign: string[] } {
  const clinc = JSON.parse(read(folder, 'en/clinc150/data_full.json')) as Record<string, [string, string][]>;
  const texts = (split: string): string[] => (clinc[split] ?? []).map(([text]) => text);
  return { train: texts('train'), test: texts('test'), foreign: [...texts('oos_test'), ...texts('oos_val')] };
}
