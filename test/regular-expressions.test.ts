/**
 * No regular expression on foreign text takes more than linear time. Every literal in the sources is judged, so that the
 * question of who writes the text that it meets need not be asked of each; the few that are not linear say here why they
 * may be so.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import { analyse } from 'scslre';
import { describe, expect, it } from 'vitest';

interface Expression {
  readonly file: string;
  readonly source: string;
  readonly flags: string;
}

const SOURCES = join(import.meta.dirname, '..', 'src');

/** Those that meet only text of bounded length or of our own, by the expression. */
const EXCUSED: Readonly<Record<string, string>> = {
  '^([A-Za-z0-9-]+):\\s*([\\x20-\\x7e]*)$': 'a header on the command line of loadtest',
  '\\s*\\S+\\s*|\\s+': 'what the first branch gives up after blanks, the second takes at once',
};

function expressionsIn(file: string, text: string): readonly Expression[] {
  const found: Expression[] = [];
  const visitor = new Visitor({
    Literal: (node) => {
      if ('regex' in node && node.regex)
        found.push({ file, source: node.regex.pattern, flags: node.regex.flags });
    },
  });
  visitor.visit(parseSync(file, text).program);
  return found;
}

/** What makes it superlinear, in words; empty for a linear one. */
function slowness({ source, flags }: Pick<Expression, 'source' | 'flags'>): readonly string[] {
  return [...reportsOn(source, flags), ...slownessBehindWord(source, flags)].map(
    ({ type, exponential, character }) =>
      [exponential ? 'exponential' : 'polynomial', type, 'on', character.literal.source].join(' '),
  );
}

function reportsOn(source: string, flags: string) {
  return analyse({ source, flags }, { reportTypes: { Move: true, Self: true, Trade: true } }).reports;
}

/** Characters that stand for themselves, at the beginning, perhaps of any line. */
const WORD = /^(\^?)((?:[\w<>/:="' -]|\\[^\w])*(?:[\w<>/:="' -]|\\[^\w])(?![*+?{]))/;

/** Slow on its first word over and over, which what follows may repeat: `<a>[^]*?</a>` on `<a><a><a>`. */
function slownessBehindWord(source: string, flags: string) {
  const [begin = '', line = '', word = ''] = WORD.exec(source) ?? [];
  if (word === '' || (line !== '' && !flags.includes('m'))) return [];
  const attack = `${word.replaceAll('\\', '')}${line && '\n'}`;
  return reportsOn(source.slice(begin.length), flags).filter(({ type, character: { literal } }) => {
    const repeats = new RegExp(literal.source, literal.flags);
    return type === 'Move' && [...attack].every((one) => repeats.test(one));
  });
}

/** Those that a module puts together when it is loaded. */
async function madeBy(file: string): Promise<readonly Expression[]> {
  const made: Expression[] = [];
  const native = globalThis.RegExp;
  globalThis.RegExp = new Proxy(native, {
    construct: (target, [source, flags = '']: [string, string?]) => {
      made.push({ file, source, flags });
      return Reflect.construct(target, [source, flags]);
    },
  });
  try {
    await import(join(SOURCES, file));
  } finally {
    globalThis.RegExp = native;
  }
  return made;
}

const texts = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => ({ name, text: readFileSync(join(SOURCES, name), 'utf8') }));
const written = texts.flatMap(({ name, text }) => expressionsIn(name, text));
const made: Expression[] = [];
for (const { name, text } of texts) if (text.includes('new RegExp(')) made.push(...(await madeBy(name)));
const all = [...written, ...made];

describe('the judge', () => {
  it.each(['^(a+)+$', '(a|a)*b', 'a+b', '^\\s+|\\s+$', '^a+a+$'])('finds %s slow', (source) => {
    expect(slowness({ source, flags: '' })).not.toEqual([]);
  });
  it.each([
    ['<a>[\\s\\S]*?</a>', ''],
    ['<a>.*</a>', ''],
    ['^<a>[\\s\\S]*?</a>', 'm'],
    ['^\\s*a', 'm'],
  ])('finds %s slow with the flags "%s"', (source, flags) => {
    expect(slowness({ source, flags })).not.toEqual([]);
  });
  it.each([
    ['<a>[^<]*</a>', ''],
    ['^<a>.*</a>', 'm'],
    ['^<a>[\\s\\S]*</a>', ''],
  ])('finds %s linear with the flags "%s"', (source, flags) => {
    expect(slowness({ source, flags })).toEqual([]);
  });
  it.each(['^a+$', '^a+b', '[ab]', '(?<!a)a+b', '^\\d{1,3}$'])('finds %s linear', (source) => {
    expect(slowness({ source, flags: '' })).toEqual([]);
  });
});

it('finds the expressions of the sources', () => {
  expect(written.length).toBeGreaterThan(150);
  expect(made.map(({ file }) => file)).toContain('serving/engines/prometheus.ts');
});

it('every regular expression takes linear time, or is excused', () => {
  const slow = all
    .filter(({ source }) => !(source in EXCUSED))
    .flatMap((one) => {
      const why = slowness(one);
      return why.length > 0 ? [`${one.file}: /${one.source}/${one.flags} ${why.join(', ')}`] : [];
    });
  expect(slow).toEqual([]);
  for (const excused of Object.keys(EXCUSED)) expect(all.map(({ source }) => source)).toContain(excused);
});
