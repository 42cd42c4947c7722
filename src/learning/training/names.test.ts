import { describe, expect, it } from 'vitest';
import { usualCount } from './choose-clusters.ts';
import { namesFrom } from './names.ts';
import { train } from './train.ts';

describe('namesFrom', () => {
  it("takes a cluster's words, without variants, and tells equal names apart", () => {
    expect(namesFrom([['card', 'cards', 'bank'], ['card', 'bank'], []])).toEqual([
      'card · bank',
      'card · bank (2)',
      'cluster 2',
    ]);
  });

  it('takes the commonest topics of a cluster without words, and a number where it has none', () => {
    const topics = [
      ['law', 'law', 'law', 'law', 'travel', null],
      ['a', 'b', 'c', 'd', 'e', 'f'],
      ['law', 'travel', 'law', 'travel', 'law'],
    ];
    expect(namesFrom([[], [], []], topics)).toEqual(['law', 'cluster 1', 'law · travel']);
    expect(namesFrom([['court'], [], []], topics)[0]).toBe('court');
  });
});

it('gives few prompts few clusters', () => {
  expect([10, 76, 206, 640, 1_000_000].map(usualCount)).toEqual([2, 3, 10, 32, 32]);
});

it('names the clusters of a few prompts by what they are about', async () => {
  const prompts = [
    ...[
      'Solve 3x = 12',
      'What is 7 times 8?',
      'Area of a circle',
      'Find the derivative of x^2',
      'Is 91 a prime?',
    ],
    ...[
      'How do I bake bread?',
      'Recipe for soup',
      'How long do noodles cook?',
      'A cake without eggs',
      'Fry an onion',
    ],
  ];
  const { model } = await train({ prompts }, { clusters: 2, threads: 1 });
  expect([...model.names].sort()).toEqual(['cooking', 'mathematics']);
});
