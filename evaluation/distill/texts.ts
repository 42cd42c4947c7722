/** What the stages of the distillation hand each other, as files in one folder. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashOf, type Source } from './sources.ts';

/** One line of `origins.json`: a source, and how many of the texts, which follow each other, are its. */
export interface Origin {
  readonly name: string;
  readonly licence: string;
  readonly texts: number;
  readonly sha256: string;
  readonly weight: number;
}

/** Writes texts and origins; texts that are there already with the same content stay, and so does the teacher's work. */
export function writeTexts(folder: string, sources: readonly Source[]): readonly Origin[] {
  mkdirSync(folder, { recursive: true });
  const origins = sources.map((source) => ({
    name: source.name,
    licence: source.licence,
    texts: source.texts.length,
    sha256: hashOf(source),
    weight: source.weight,
  }));
  const content = sources.flatMap(({ texts }) => texts.map((text) => `${JSON.stringify(text)}\n`)).join('');
  const file = join(folder, 'texts.jsonl');
  if (!existsSync(file) || readFileSync(file, 'utf8') !== content) writeFileSync(file, content);
  writeFileSync(join(folder, 'origins.json'), JSON.stringify(origins, null, 1));
  return origins;
}
