import { describe, expect, it } from 'vitest';
import { realPrompts } from './real-prompts.ts';

describe('realPrompts', () => {
  it("classifies each prompt with the config's model, for the config's experts", async () => {
    const { shares, prompts } = await realPrompts('evaluation/routing-prompts.jsonl', undefined, 8);
    expect(prompts.turns).toHaveLength(shares.length);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
    expect(prompts.owners.every((expert) => expert >= 0 && expert < 8)).toBe(true);
    for (const [turn] of prompts.turns) expect(turn!.distances).toHaveLength(prompts.owners.length);
    expect(new Set(prompts.turns.map(([turn]) => prompts.owners[turn!.cluster])).size).toBeGreaterThan(4);
  });

  it('refuses a placement with another number of experts', async () => {
    await expect(realPrompts('evaluation/routing-prompts.jsonl', undefined, 3)).rejects.toThrow(
      'has 8 experts, but the placement 3',
    );
  });
});
