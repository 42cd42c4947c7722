import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Meaning, Names } from './names.ts';

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
