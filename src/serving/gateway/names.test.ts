import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claudeName, type Meaning, Names } from './names.ts';

const to = (expert: string): Meaning => ({ kind: 'expert', expert });

describe('names', () => {
  it('are experts first, then exact aliases, then the pattern with the most letters', () => {
    const names = new Names(
      ['code', 'general'],
      new Map([
        ['gpt-*', to('general')],
        ['gpt-4*-mini', to('code')],
        ['gpt-4o', { kind: 'choice', name: 'gpt-4o' }],
      ]),
    );
    expect(names.meaning('code')).toEqual(to('code'));
    expect(names.meaning('gpt-4o')).toEqual({ kind: 'choice', name: 'gpt-4o' });
    expect(names.meaning('gpt-4o-mini')).toEqual(to('code'));
    expect(names.meaning('gpt-5')).toEqual(to('general'));
    expect(names.meaning('auto')).toEqual({ kind: 'choice', name: 'auto' });
    expect(names.meaning('claude')).toBeNull();
    expect(names.meaning(`gpt-${'x'.repeat(1_000_000)}`)).toBeNull();
    expect(names.listed).toEqual(['auto', 'code', 'general', 'gpt-4o']);
  });

  it('match a pattern as a regular expression would', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 6 });
    fc.assert(
      fc.property(fc.array(text, { minLength: 2, maxLength: 4 }), text, text, (parts, ...pieces) => {
        const names = new Names([], new Map([[parts.join('*'), to('x')]]));
        const expression = new RegExp(`^${parts.join('.*')}$`);
        for (const name of [pieces.join(''), parts.join(pieces[0])])
          expect(names.meaning(name) !== null, `${parts.join('*')} ~ ${name}`).toBe(expression.test(name));
      }),
    );
  });
});

it('knows every name with claude- before it, and a pattern for such names comes after', () => {
  const auto = { kind: 'choice', name: 'auto' } as const;
  const names = new Names(['opus', 'claude-own'], new Map([['claude-*', auto]]));
  expect(names.meaning('claude-opus')).toEqual({ kind: 'expert', expert: 'opus' });
  expect(names.meaning('claude-own')).toEqual({ kind: 'expert', expert: 'claude-own' });
  expect(names.meaning('claude-sonnet-4-5')).toEqual(auto);
  expect(new Names(['opus']).meaning('claude-auto')).toEqual(auto);
  expect(new Names(['opus']).meaning('claude-sonnet-4-5')).toBeNull();
  expect(['auto', 'claude-own', 'opus'].map(claudeName)).toEqual([
    'claude-auto',
    'claude-own',
    'claude-opus',
  ]);
});
