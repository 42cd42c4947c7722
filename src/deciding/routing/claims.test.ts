import { describe, expect, it } from 'vitest';
import { type ClaimText, claimed, claimsOf, phrasesOf, sampledBy } from './claims.ts';

const text = (kind: ClaimText['kind'], ...vector: number[]): ClaimText => ({
  text: vector.join(),
  kind,
  vector: Float32Array.from(vector, (value) => value / Math.hypot(...vector)),
});

/** Three subjects that people ask about, one a direction. */
const TOPICS = [0, 1, 2].map((axis) => ({
  name: `topic ${axis}`,
  of: `topic ${axis}`,
  vectors: [0.1, 0.2, 0.3].map((other) => {
    const vector = [other, other, other];
    vector[axis] = 1;
    return Float32Array.from(vector, (value) => value / Math.hypot(...vector));
  }),
}));

const claimant = (texts: readonly ClaimText[], fallback = false) => ({ texts, fallback });
const prompt = (...vector: number[]) => text('sample', ...vector).vector;

describe('topics', () => {
  const vectors = [Float32Array.of(0, 1, 0)];
  const topics = [
    ...['programming', 'web pages', 'servers and deployment'].map((name) => ({
      name,
      of: 'programming',
      vectors,
    })),
    { name: 'cooking', of: 'cooking', vectors },
  ];
  const vector = Float32Array.of(1, 0, 0);
  /** The experts that each topic belongs to, by their descriptions. */
  const owners = (...descriptions: readonly string[]) =>
    claimsOf(
      descriptions.map((words) => claimant([{ text: words, kind: 'description', vector }])),
      topics,
      3,
    )!.topics.slice(0, 3);

  it('go whole to who names the whole, but for parts that others name', () => {
    expect(owners('Programs')).toEqual([[0], [0], [0]]);
    expect(owners('Programs', 'Docker')).toEqual([[0], [0], [1]]);
  });

  it('that several divide among them belong to each of these as a whole', () => {
    expect(owners('React', 'Docker')).toEqual([[0, 1], [0], [1]]);
    expect(owners('React', 'Poems')).toEqual([[], [0], []]);
  });
});

describe('claims', () => {
  it('are none without texts', () => {
    expect(claimsOf([claimant([]), claimant([], true)], TOPICS, 3)).toBeNull();
  });

  it("give a prompt to the expert whose texts it is near to, and to the fallback what nobody's texts are about", () => {
    const claims = claimsOf([claimant([text('description', 1, 0.2, 0)]), claimant([], true)], TOPICS, 3)!;
    expect(claims.topics).toEqual([[0], [], []]);
    const code = claimed(claims, prompt(1, 0.1, 0.1));
    expect(code[0]).toBe(1);
    expect(code[1]).toBeLessThan(0.1);
    // Nearer to the expert's one text than to anything else of the fallback's, were there no background.
    const sums = claimed(claims, prompt(0.5, 1, 0));
    expect(sums[1]).toBe(1);
    expect(sums[0]).toBeLessThan(0.7);
  });

  it('leave a topic to the expert of which many texts name it, unless it is the only one of the other', () => {
    const [first, second] = [text('description', 1, 0.1, 0.1), text('description', 0.1, 1, 0.1)];
    const writer = claimant([first, first, first]);
    const topicsOf = (other: readonly ClaimText[]) => claimsOf([writer, claimant(other)], TOPICS, 3)!.topics;
    expect(topicsOf([first, second, second])).toEqual([[0], [1], []]);
    expect(topicsOf([first, second])).toEqual([[0, 1], [1], []]);
    expect(topicsOf([first])).toEqual([[0, 1], [], []]);
  });

  it('give nothing to an expert that says nothing', () => {
    const claims = claimsOf(
      [claimant([text('sample', 1, 0, 0)]), claimant([]), claimant([], true)],
      TOPICS,
      3,
    )!;
    expect(claimed(claims, prompt(0, 1, 0))[1]).toBe(0);
  });

  it('give a prompt equal to a sample to its expert, whatever the others say', () => {
    const near = [1, 1.1, 0.9].map((first) => text('sample', first, 0.99, 1));
    const claims = claimsOf([claimant([text('sample', 1, 1, 1)]), claimant(near)], TOPICS, 3)!;
    const own = prompt(1, 1, 1);
    expect(sampledBy(claims, own)).toBe(0);
    expect([...claimed(claims, own)]).toEqual([1, 0.2]);
    expect(sampledBy(claims, prompt(1, 0.9, 1))).toBeNull();
  });

  it('count a sample for more than a description', () => {
    const claims = claimsOf(
      [claimant([text('description', 1, 0, 1)]), claimant([text('sample', 1, 0, 1)])],
      [],
      3,
    )!;
    const fits = claimed(claims, prompt(1, 0.3, 1));
    expect(fits[1]).toBe(1);
    expect(fits[0]).toBeLessThan(1);
  });
});

describe('the phrases of a description', () => {
  it('are the whole and each subject that it lists', () => {
    expect(phrasesOf('Law, contracts and rights')).toEqual([
      'Law, contracts and rights',
      'Law',
      'contracts',
      'rights',
    ]);
    expect(phrasesOf('料理のレシピ、食材')).toEqual(['料理のレシピ、食材', '料理のレシピ', '食材']);
    expect(phrasesOf('Writes programs')).toEqual(['Writes programs']);
  });

  it('leave out what any assistant does', () => {
    const description = 'Writes, explains and debugs programs';
    expect(phrasesOf(description)).toEqual([description, 'debugs programs']);
    expect(phrasesOf('Poems, writing')).toEqual(['Poems, writing', 'Poems']);
  });
});
