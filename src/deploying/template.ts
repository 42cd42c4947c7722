/**
 * Fills shell script templates. A template is a script that ShellCheck can read, with `@name@` for values.
 *
 * - `@name@` in a line is one word, or several on that line, each quoted for the shell if needed.
 * - `@name@` alone on its line can also be any number of lines, each a command of words.
 * - `#@if name` … `#@end` are kept if `name` is true; they nest. Other lines that begin with `#@` are comments.
 */
import { readFileSync } from 'node:fs';

/** A word; the words of one line; lines of words; or whether a part is kept. */
export type Value = string | readonly string[] | readonly (readonly string[])[] | boolean;

const PLACEHOLDER = /@([a-z][a-z_]*)@/g;
const SAFE_WORD = /^[\w@%+=:,./-]+$/;

/** @param name a file of templates/, such as `prepare.sh` @throws Error as `fill` does */
export function filled(name: string, values: Readonly<Record<string, Value>>): string {
  return fill(readFileSync(new URL(`templates/${name}`, import.meta.url), 'utf8'), values);
}

/** @throws Error for a placeholder without a value, a value without a placeholder, or one of the wrong type */
export function fill(template: string, values: Readonly<Record<string, Value>>): string {
  const lines = template.split('\n');
  requireUse(template, values);
  const open: boolean[] = [];
  const out: string[] = [];
  for (const line of lines) {
    const [, word, name = ''] = /^#@(if|end)\b ?(\w*)$/.exec(line) ?? [];
    if (word === 'if') open.push(flag(name, values[name]));
    else if (word === 'end') {
      if (open.pop() === undefined) throw new Error('a template has an #@end without its #@if');
    } else if (!line.startsWith('#@') && open.every((stays) => stays)) out.push(...fillLine(line, values));
  }
  if (open.length > 0) throw new Error('a template has an #@if without its #@end');
  return out.join('\n');
}

/** Quotes any text as one word for bash. */
export function quoted(text: string): string {
  return SAFE_WORD.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function requireUse(template: string, values: Readonly<Record<string, Value>>): void {
  const conditions = [...template.matchAll(/^#@if (\w+)$/gm)].map((match) => match[1]!);
  const used = new Set([...template.matchAll(PLACEHOLDER)].map((match) => match[1]!).concat(conditions));
  const missing = [...used].filter((name) => values[name] === undefined);
  const unused = Object.keys(values).filter((name) => !used.has(name));
  if (missing.length > 0) throw new Error(`a template needs values for ${missing.join(', ')}`);
  if (unused.length > 0) throw new Error(`a template has no placeholder for ${unused.join(', ')}`);
}

function fillLine(line: string, values: Readonly<Record<string, Value>>): readonly string[] {
  const alone = /^@([a-z][a-z_]*)@$/.exec(line)?.[1];
  const value = alone === undefined ? undefined : values[alone];
  if (isLines(value)) return value.map((words) => words.map(quoted).join(' '));
  return [
    line.replace(PLACEHOLDER, (_, name: string, at: number) =>
      wordsOf(name, values[name])
        .map((word) => placed(word, line.slice(0, at)))
        .join(' '),
    ),
  ];
}

function isLines(value: Value | undefined): value is readonly (readonly string[])[] {
  return Array.isArray(value) && value.every((one) => Array.isArray(one));
}

function wordsOf(name: string, value: Value | undefined): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  throw new Error(`@${name}@ must be a word or a list of words`);
}

/** A word placed after `before`: within double quotes it cannot be quoted, so it must not need quoting. */
function placed(word: string, before: string): string {
  const within = (before.replace(/\\./g, '').match(/"/g) ?? []).length % 2 === 1;
  if (within && !SAFE_WORD.test(word)) throw new Error(`'${word}' cannot be placed within double quotes`);
  return within ? word : quoted(word);
}

function flag(name: string, value: Value | undefined): boolean {
  if (typeof value === 'boolean') return value;
  throw new Error(`#@if ${name}: not a boolean`);
}
