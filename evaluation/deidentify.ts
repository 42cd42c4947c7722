/**
 * How many identifiers are taken out of texts, and how much else: `npm run eval:deidentify`. Judges by the marked notes in
 * evaluation/deidentify/ and writes the table into docs/deidentify.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { classify } from '../src/deciding/model/classify.ts';
import { DEFAULT_MODEL, loadModelFile } from '../src/deciding/model/file.ts';
import { deidentifier, identifiersIn } from '../src/deciding/text/identifiers/deidentify.ts';
import { IDENTIFIERS, type Span } from '../src/deciding/text/identifiers/span.ts';
import { plainText } from '../src/deciding/text/routable.ts';
import { runScript } from './script.ts';

const NOTES = 'evaluation/deidentify/notes.txt';
const PAGE = 'docs/deidentify.md';
const MARKS = ['<!-- eval:deidentify -->', '<!-- end of eval:deidentify -->'] as const;

interface Note {
  readonly text: string;
  readonly marked: readonly Span[];
}

function noteOf(line: string): Note {
  let text = '';
  let from = 0;
  const marked: Span[] = [];
  for (const { 0: match, 1: kind, 2: value, index } of line.matchAll(/\{(\w+)\|([^}]*)\}/g)) {
    text += line.slice(from, index);
    marked.push({ kind: kind as Span['kind'], start: text.length, end: text.length + value!.length });
    text += value;
    from = index + match.length;
  }
  return { text: text + line.slice(from), marked };
}

interface Counts {
  marked: number;
  /** Marked ones of which no letter or digit is left, whatever they were taken for. */
  gone: number;
  found: number;
  /** Found ones that touch a marked one. */
  right: number;
}

function judge(notes: readonly Note[]): ReadonlyMap<string, Counts> {
  const counts = new Map<string, Counts>(
    [...IDENTIFIERS, 'all'].map((kind) => [kind, { marked: 0, gone: 0, found: 0, right: 0 }]),
  );
  const add = (kind: string, what: Partial<Counts>): void => {
    for (const one of [counts.get(kind)!, counts.get('all')!])
      for (const [key, value] of Object.entries(what)) one[key as keyof Counts] += value;
  };
  for (const { text, marked } of notes) {
    const found = identifiersIn(text);
    const within = (at: number): boolean => found.some(({ start, end }) => at >= start && at < end);
    for (const { kind, start, end } of marked) {
      const left = [...Array(end - start).keys()].some(
        (offset) => /[\p{L}\p{N}]/u.test(text[start + offset]!) && !within(start + offset),
      );
      add(kind, { marked: 1, gone: left ? 0 : 1 });
    }
    for (const one of found) {
      const right = marked.some(({ start, end }) => start < one.end && one.start < end);
      add(one.kind, { found: 1, right: right ? 1 : 0 });
    }
  }
  return counts;
}

function table(notes: readonly Note[]): string {
  const rate = (part: number, whole: number): string =>
    whole === 0 ? '–' : `${((100 * part) / whole).toFixed(0)} % (${part} of ${whole})`;
  const rows = [...judge(notes)].map(
    ([kind, { marked, gone, found, right }]) => `| ${kind} | ${rate(gone, marked)} | ${rate(right, found)} |`,
  );
  return ['| kind | recall | precision |', '|---|---|---|', ...rows].join('\n');
}

/** How often the shipped router model finds the same cluster without the identifiers. */
async function sameClusters(notes: readonly Note[]): Promise<string> {
  const model = await loadModelFile(DEFAULT_MODEL);
  const deidentify = deidentifier();
  const changed = notes.filter(({ text }) => deidentify(text) !== text);
  const same = changed.filter(({ text }) => {
    const [before, after] = [text, deidentify(text)].map((one) => classify(model, plainText(one)).cluster);
    return before === after;
  });
  return `The shipped router model finds the same of its ${model.clusters} clusters for ${same.length} of the ${changed.length} notes that de-identification changes.`;
}

await runScript(async () => {
  const lines = readFileSync(NOTES, 'utf8').trimEnd().split('\n');
  const notes = lines.filter((line) => !line.startsWith('#')).map(noteOf);
  // The rules were corrected by the first, third and so on; the others were only counted.
  const seen = notes.filter((_, at) => at % 2 === 0);
  const unseen = notes.filter((_, at) => at % 2 === 1);
  if (process.argv.includes('--show')) for (const { text } of seen) console.log(deidentifier()(text));
  const written = `${MARKS[0]}\n\n${unseen.length} notes that the rules were not corrected by:\n\n${table(unseen)}\n\nThe ${seen.length} that they were corrected by:\n\n${table(seen)}\n\n${await sameClusters(notes)}\n\n${MARKS[1]}`;
  console.log(written);
  const page = readFileSync(PAGE, 'utf8');
  const [from, to] = MARKS.map((mark) => page.indexOf(mark)) as [number, number];
  writeFileSync(PAGE, page.slice(0, from) + written + page.slice(to + MARKS[1].length));
});
