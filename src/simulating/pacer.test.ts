import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pacer } from './pacer.ts';

const names = { model: 'llama-3.1-8b', gpu: 'h100', precision: 'fp8' };

/** Asks whenever told to; returns each request's token times. */
function drive(
  pacer: Pacer,
  requests: readonly { at: number; promptTokens: number; outputTokens: number }[],
) {
  const times = new Map<number, number[]>();
  const queue = requests.map((request, id) => ({ ...request, id })).sort((a, b) => a.at - b.at);
  let askAgainAt = Number.POSITIVE_INFINITY;
  for (;;) {
    const now = Math.min(queue[0]?.at ?? Number.POSITIVE_INFINITY, askAgainAt);
    if (now === Number.POSITIVE_INFINITY) return times;
    const next = queue[0];
    if (next && next.at <= now) {
      queue.shift();
      expect(pacer.submit(next, now)).toBe(true);
      times.set(next.id, []);
    }
    const due = pacer.due(now);
    for (const { id, generated } of due.tokens) {
      const seen = times.get(id)!;
      while (seen.length < generated) seen.push(now);
    }
    askAgainAt = due.askAgainAt;
  }
}

describe('the pacer', () => {
  it('gives every request its tokens, one after the other, whatever the mix', () => {
    const request = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      promptTokens: fc.integer({ min: 1, max: 3000 }),
      outputTokens: fc.integer({ min: 1, max: 50 }),
    });
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 12 }), (requests) => {
        const times = drive(new Pacer(names), requests);
        requests.forEach(({ at, outputTokens }, id) => {
          const seen = times.get(id)!;
          expect(seen).toHaveLength(outputTokens);
          expect(seen[0]).toBeGreaterThan(at);
          expect(seen).toEqual(seen.toSorted((a, b) => a - b));
        });
      }),
      { numRuns: 30 },
    );
  });

  it('tells of tokens one by one when asked at the times it names', () => {
    const times = drive(new Pacer(names), [{ at: 0, promptTokens: 100, outputTokens: 40 }]).get(0)!;
    expect(new Set(times).size).toBe(40);
  });

  it('frees a cancelled request and goes idle', () => {
    const pacer = new Pacer(names);
    pacer.submit({ id: 1, promptTokens: 100, outputTokens: 1000 }, 0);
    pacer.due(0.1);
    pacer.cancel(1, 0.2);
    expect(pacer.present).toBe(0);
    expect(pacer.due(0.3)).toEqual({ tokens: [], askAgainAt: Number.POSITIVE_INFINITY });
  });

  it('refuses what could never run, and deployments that do not fit', () => {
    expect(new Pacer(names).submit({ id: 1, promptTokens: 1e9, outputTokens: 1 }, 0)).toBe(false);
    expect(() => new Pacer({ ...names, model: 'llama-3.1-405b' })).toThrow(/does not fit/);
  });
});
