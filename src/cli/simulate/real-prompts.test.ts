import { describe, expect, it } from 'vitest';
import { realPrompts } from './real-prompts.ts';

describe('realPrompts', () => {
  it("gives each prompt the affinities of the gateway's own decision", async () => {
    const { shares, affinities } = await realPrompts('evaluation/routing-prompts.jsonl', undefined, 8);
    expect(affinities).toHaveLength(shares.length);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
    for (const one of affinities) {
      expect(one).toHaveLength(8);
      expect(Math.max(...one)).toBe(1); // home
    }
    expect(new Set(affinities.map((one) => one.indexOf(1))).size).toBeGreaterThan(4);
  });

  it('refuses a placement with another number of experts', async () => {
    await expect(realPrompts('evaluation/routing-prompts.jsonl', undefined, 3)).rejects.toThrow(
      'has 8 experts, but the placement 3',
    );
  });
});
