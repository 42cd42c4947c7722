/**
 * The texts that the distilled embedding learns from. None of a set that judges it: no GSM8K, HumanEval, RouterDC,
 * MMLU-Pro test questions, and no prompt of `labelledPrompts`. Only licences under which derived numbers may be shipped.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../src/core/errors.ts';
import { type Random, seededRandom } from '../../src/core/random.ts';
import { nounPrompts, sumPrompts, topicPrompts } from './phrases.ts';

export interface Source {
  readonly name: string;
  readonly licence: string;
  /** How much each text counts in the fit, relative to a real prompt. */
  readonly weight: number;
  /** Bare words instead of texts. */
  readonly words?: boolean;
  readonly texts: readonly string[];
}

/** Where each origin lies on this machine; README.md here says how to get it. */
export interface Folders {
  readonly corpora: string;
  readonly outcomes: string;
  readonly wordnet: string;
  readonly ipadic: string;
  readonly banking: string;
  readonly tanaka: string;
  readonly python: string;
}

/** A prompt's first characters: the teacher's time grows with length. */
const LONGEST = 200;

/** @throws UserError for a file that is missing, with the origin's name */
export function readSources(folders: Folders, seed: number): readonly Source[] {
  const random = seededRandom(seed);
  const english = wordNet(folders.wordnet, random.fork('wordnet'));
  const nouns = japaneseNouns(folders.ipadic);
  const made = random.fork('made');
  const some = (name: string, texts: readonly string[], count: number): readonly string[] =>
    sample(
      texts.map((text) => text.trim().slice(0, LONGEST)).filter((text) => text.length > 1),
      count,
      random.fork(name),
    );
  const real: readonly Source[] = [
    {
      name: 'CLINC150, training half (clinc/oos-eval)',
      licence: 'CC BY 3.0',
      weight: 1,
      texts: some('clinc', clincTraining(folders.corpora), 5_000),
    },
    {
      name: 'BANKING77 (PolyAI-LDN/task-specific-datasets)',
      licence: 'CC BY 4.0',
      weight: 1,
      texts: some('banking', banking(folders.banking), 1_200),
    },
    {
      name: 'MMLU-Pro, half for training (TIGER-AI-Lab/MMLU-Pro), questions alone',
      licence: 'Apache-2.0 / MIT',
      weight: 1,
      texts: some('mmlupro', fields(join(folders.outcomes, 'mmlupro.train.jsonl'), 'prompt'), 1_500),
    },
    {
      name: 'self-instruct seed tasks (yizhongw/self-instruct)',
      licence: 'Apache-2.0',
      weight: 1,
      texts: some(
        'self',
        [
          ...fields(join(folders.corpora, 'en/self-instruct/seed_tasks.jsonl'), 'instruction'),
          ...fields(
            join(folders.corpora, 'en/self-instruct/user_oriented_instructions.jsonl'),
            'instruction',
          ),
        ],
        1_000,
      ),
    },
    {
      name: 'arena-hard 0.1 (lmarena/arena-hard-auto)',
      licence: 'Apache-2.0',
      weight: 1,
      texts: some('arena', arena(folders.corpora), 500),
    },
    {
      name: 'Rakuda (yuzu-ai/japanese-llm-ranking), Japanese MT-Bench (Stability-AI/FastChat)',
      licence: 'Apache-2.0',
      weight: 1,
      texts: some('japanese', japaneseQuestions(folders.corpora), 200),
    },
    {
      name: 'Tanaka corpus, part (odashi/small_parallel_enja)',
      licence: 'CC BY 2.0 FR',
      weight: 0.7,
      texts: [
        ...some('tanaka ja', japaneseLines(join(folders.tanaka, 'train.ja.000')), 3_500),
        ...some('tanaka en', lines(read(join(folders.tanaka, 'train.en.001'))), 1_000),
      ],
    },
    {
      name: "functions of Python's standard library",
      licence: 'PSF-2.0',
      weight: 1,
      texts: some('python', pythonFunctions(folders.python), 1_000),
    },
    {
      name: 'WordNet 3.0, definitions',
      licence: 'WordNet licence (permissive)',
      weight: 0.5,
      texts: [...some('glosses', english.glosses, 1_740)],
    },
  ];
  const own: readonly Source[] = [
    {
      name: 'prompts made from patterns (evaluation/distill/phrases.ts)',
      licence: 'Apache-2.0',
      weight: 1,
      texts: [
        ...topicPrompts('en', english.nouns, made),
        ...topicPrompts('ja', nouns.slice(0, 12_000), made),
        ...nounPrompts('en', english.nouns, 2_000, made),
        ...nounPrompts('ja', nouns.slice(0, 9_000), 1_500, made),
        ...sumPrompts('en', 500, made),
        ...sumPrompts('ja', 400, made),
      ],
    },
  ];
  const common = frequentWords([...real, ...own], english.words);
  return [
    ...real,
    ...own,
    {
      name: 'Japanese nouns (mecab-ipadic 2.7.0)',
      licence: 'NAIST / ICOT (permissive)',
      weight: 0.3,
      words: true,
      texts: nouns.slice(0, 6_000),
    },
    {
      name: 'English words (WordNet 3.0)',
      licence: 'WordNet licence (permissive)',
      weight: 0.3,
      words: true,
      texts: common,
    },
  ].map((source): Source => ({ ...source, texts: [...new Set(source.texts)] }));
}

/** Hash of a source's texts, for the record in the artefact. */
export function hashOf({ texts }: Source): string {
  return createHash('sha256').update(texts.join('\0')).digest('hex').slice(0, 16);
}

function read(path: string, encoding: 'utf-8' | 'euc-jp' = 'utf-8'): string {
  if (!existsSync(path)) {
    throw new UserError(
      `${path} is missing; evaluation/distill/README.md says where each origin comes from.`,
    );
  }
  return new TextDecoder(encoding).decode(readFileSync(path));
}

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

function fields(path: string, field: string): readonly string[] {
  return lines(read(path)).map((line) => String((JSON.parse(line) as Record<string, unknown>)[field] ?? ''));
}

function sample(texts: readonly string[], count: number, random: Random): readonly string[] {
  const rest = [...texts];
  for (let index = 0; index < Math.min(count, rest.length); index += 1) {
    const other = index + random.below(rest.length - index);
    [rest[index], rest[other]] = [rest[other]!, rest[index]!];
  }
  return rest.slice(0, count);
}

function clincTraining(corpora: string): readonly string[] {
  const all = JSON.parse(read(join(corpora, 'en/clinc150/data_full.json'))) as { train: [string, string][] };
  return all.train.map(([text]) => text);
}

function banking(folder: string): readonly string[] {
  return lines(read(join(folder, 'banking_data/train.csv')))
    .slice(1)
    .map((line) =>
      line
        .replace(/,[^,]*$/, '')
        .replace(/^"|"$/g, '')
        .replaceAll('""', '"'),
    );
}

function arena(corpora: string): readonly string[] {
  return lines(read(join(corpora, 'en/arena-hard/v0.1.question.jsonl'))).map((line) => {
    const row = JSON.parse(line) as { turns?: readonly { content: string }[]; prompt?: string };
    return row.turns?.[0]?.content ?? row.prompt ?? '';
  });
}

function japaneseQuestions(corpora: string): readonly string[] {
  const folders = ['ja/rakuda', 'ja/japanese_mt_bench'].map((name) => join(corpora, name));
  return folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.jsonl'))
      .flatMap((file) =>
        lines(read(join(folder, file))).map((line) => {
          const row = JSON.parse(line) as { text?: string; turns?: readonly string[] };
          return row.text ?? row.turns?.[0] ?? '';
        }),
      ),
  );
}

function japaneseLines(path: string): readonly string[] {
  return lines(read(path)).map((line) => line.replaceAll(' ', ''));
}

/** Functions with their signature and first lines, as somebody would paste them. */
function pythonFunctions(folder: string): readonly string[] {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.py'))
    .sort();
  if (files.length === 0)
    throw new UserError(`${folder} has no Python files: give the folder of the standard library.`);
  return files.flatMap((file) =>
    read(join(folder, file))
      .split(/\n(?= *def )/)
      .slice(1)
      .map((text) => text.trim())
      .filter((text) => text.length > 80),
  );
}

interface WordNet {
  readonly words: readonly string[];
  readonly nouns: readonly string[];
  readonly glosses: readonly string[];
}

/** Nouns are those that a tagged corpus has seen (`index.noun`'s tagsense count above zero). */
function wordNet(folder: string, random: Random): WordNet {
  const words = new Set<string>();
  const glosses: string[] = [];
  for (const part of ['noun', 'verb', 'adj', 'adv']) {
    for (const line of lines(read(join(folder, `data.${part}`)))) {
      if (line.startsWith('  ')) continue;
      const [head, gloss = ''] = line.split(' | ', 2) as [string, string];
      const word = head
        .split(' ')[4]!
        .replaceAll('_', ' ')
        .replace(/\(.*\)$/, '');
      if (/^[a-z][a-z'-]{1,19}$/.test(word)) words.add(word);
      const meaning = gloss.split(/[;"]/)[0]!.trim();
      if (meaning.length > 12 && meaning.length < 140 && /^[a-z]/.test(word))
        glosses.push(`${word}: ${meaning}`);
    }
  }
  const nouns = lines(read(join(folder, 'index.noun'))).flatMap((line) => {
    if (line.startsWith('  ')) return [];
    const parts = line.trim().split(' ');
    const tagged = Number(parts[parts.length - Number(parts[2]) - 1]);
    return tagged > 0 && /^[a-z][a-z_-]+$/.test(parts[0]!) ? [parts[0]!.replaceAll('_', ' ')] : [];
  });
  return { words: [...words], nouns: sample(nouns, nouns.length, random), glosses };
}

/** Common nouns, the most likely first: a lower cost in the dictionary is a more frequent word. */
function japaneseNouns(folder: string): readonly string[] {
  const found = new Map<string, number>();
  for (const file of ['Noun.csv', 'Noun.verbal.csv', 'Noun.adjv.csv']) {
    for (const line of lines(read(join(folder, file), 'euc-jp'))) {
      const [word, , , cost] = line.split(',') as [string, string, string, string];
      if (!/^[\u3040-\u30ff\u3400-\u9fffー]{2,8}$/.test(word) || /^[\u3040-\u309f]+$/.test(word)) continue;
      found.set(word, Math.min(found.get(word) ?? Number.POSITIVE_INFINITY, Number(cost)));
    }
  }
  return [...found].sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1)).map(([word]) => word);
}

/** WordNet's words that the other texts use, most frequent first, then the rest by length. */
function frequentWords(sources: readonly Source[], words: readonly string[]): readonly string[] {
  const counts = new Map(words.map((word) => [word, 0]));
  for (const { texts } of sources)
    for (const text of texts)
      for (const [word] of text.toLowerCase().matchAll(/[a-z][a-z'-]+/g)) {
        const before = counts.get(word);
        if (before !== undefined) counts.set(word, before + 1);
      }
  return [...counts]
    .sort((a, b) => b[1] - a[1] || a[0].length - b[0].length || (a[0] < b[0] ? -1 : 1))
    .slice(0, 5_000)
    .map(([word]) => word);
}
