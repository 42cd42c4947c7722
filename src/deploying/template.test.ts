import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fill, quoted } from './template.ts';

const FOLDER = join(import.meta.dirname, 'templates');
const bash = (...args: string[]) => spawnSync('bash', args, { encoding: 'utf8' });
const hasBash = bash('-c', 'true').status === 0;

describe('fill', () => {
  it('puts in words, several words, lines of words, and keeps or drops parts', () => {
    const template = [
      'image=@image@',
      '#@ a note',
      '#@if some',
      'run @flags@',
      '#@if more',
      'and more',
      '#@end',
      '#@end',
      '@steps@',
      'done',
    ].join('\n');
    const values = {
      image: "it's",
      flags: ['--a', 'b c'],
      steps: [
        ['make', 'x y'],
        ['make', 'z'],
      ],
    };
    const head = "image='it'\\''s'\n";
    expect(fill(template, { ...values, some: true, more: false })).toBe(
      `${head}run --a 'b c'\nmake 'x y'\nmake z\ndone`,
    );
    expect(fill(template, { ...values, some: false, more: true, steps: [] })).toBe(`${head}done`);
  });

  it.each([
    ['a placeholder without a value', '@a@ @b@', { a: 'x' }, /values for b/],
    ['a condition without a value', '#@if a\n#@end', {}, /values for a/],
    ['a value without a placeholder', '@a@', { a: 'x', b: 'y' }, /no placeholder for b/],
    ['a flag where a word belongs', '@a@', { a: true }, /@a@ must be a word/],
    ['lines within a line', 'x @a@', { a: [['x']] }, /@a@ must be a word/],
    ['a word where a flag belongs', '#@if a\n#@end', { a: 'yes' }, /not a boolean/],
    ['a part without an end', '#@if a\nx', { a: true }, /without its #@end/],
    ['an end without a part', 'x\n#@end', {}, /without its #@if/],
    ['what needs quotes between quotes', 'echo "a @a@ b"', { a: '$HOME' }, /within double quotes/],
  ])('refuses %s', (_, template, values, message) => {
    expect(() => fill(template, values)).toThrow(message);
  });

  it.skipIf(!hasBash)('whatever a word holds, bash reads it as that word', () => {
    const word = fc.string({ unit: 'binary-ascii' }).map((text) => text.replaceAll('\0', ''));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), (words) => {
        const script = fill("printf '%s\\0' @words@", { words });
        expect(bash('-c', script).stdout.split('\0').slice(0, -1)).toEqual(words);
        expect(bash('-c', `printf %s ${quoted(words[0]!)}`).stdout).toBe(words[0]);
      }),
      { numRuns: 40 },
    );
  });
});

describe.each(readdirSync(FOLDER))('%s', (name) => {
  it.skipIf(!hasBash)('is a script for bash as it stands', () => {
    expect(bash('-n', join(FOLDER, name)).stderr).toBe('');
  });

  it('has its placeholders outside single quotes, where they would not be quoted', () => {
    for (const line of readFileSync(join(FOLDER, name), 'utf8').split('\n')) {
      const before = /^(.*?)@[a-z_]+@/.exec(line.replace(/"[^"]*"/g, ''))?.[1] ?? '';
      expect(before.split("'").length % 2, line).toBe(1);
    }
  });
});
