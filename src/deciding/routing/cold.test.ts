import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coldPlaced } from './cold.ts';
import { costOf } from './cost.ts';
import { type Candidate, idleLoad } from './policy.ts';

const REQUEST = { promptTokens: 0 };
const candidate = (id: string, affinity: number, startsIn?: number, available = startsIn === undefined) =>
  ({
    id,
    affinity,
    distance: null,
    warmth: null,
    load: { ...idleLoad, available, ...(startsIn === undefined ? {} : { startsIn }) },
  }) satisfies Candidate;
const order = (ranked: readonly Candidate[], seconds: number) =>
  coldPlaced(ranked, REQUEST, seconds).map(({ id }) => id);

describe('an expert that has to be started', () => {
  const ranked = [candidate('near', 0.8), candidate('far', 0.1), candidate('down', 0.9, undefined, false)];

  it.each([
    [5, 1, ['near', 'far', 'home', 'down']],
    [5, 10, ['near', 'home', 'far', 'down']],
    [5, 100, ['home', 'near', 'far', 'down']],
    [0.1, 1, ['home', 'near', 'far', 'down']],
  ])('that starts in %d s goes, at %d seconds a unit of affinity, as %j', (startsIn, seconds, expected) => {
    expect(order([...ranked, candidate('home', 1, startsIn)], seconds)).toEqual(expected);
  });

  it('is waited for where nobody else can answer, the cheapest first', () => {
    const cold = [candidate('a', 1, 50), candidate('b', 0.9, 5), candidate('down', 1, undefined, false)];
    expect(order(cold, 1)).toEqual(['b', 'a', 'down']);
  });

  it('changes nothing for the others, and stands before none that costs less', () => {
    const some = fc.record({
      affinity: fc.double({ min: 0, max: 1, noNaN: true }),
      startsIn: fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(some, { minLength: 1, maxLength: 8 }), (list) => {
        const all = list.map(({ affinity, startsIn }, at) => candidate(String(at), affinity, startsIn));
        const ranking = [...all].sort((a, b) => Number(b.load.available) - Number(a.load.available));
        const placed = coldPlaced(ranking, REQUEST);
        expect([...placed].sort((a, b) => Number(a.id) - Number(b.id))).toEqual(all);
        const running = (of: readonly Candidate[]) => of.filter(({ load }) => load.available);
        expect(running(placed)).toEqual(running(ranking));
        placed.forEach(({ load, ...one }, at) => {
          const next = placed[at + 1];
          if (load.startsIn === undefined || !next) return;
          expect(costOf({ load, ...one }, REQUEST).total).toBeLessThanOrEqual(costOf(next, REQUEST).total);
        });
      }),
    );
  });
});
