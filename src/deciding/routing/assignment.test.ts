import { describe, expect, it } from 'vitest';
import { assignClusters, type ExpertProfile } from './assignment.ts';
import { claimsOf } from './claims.ts';
import { NOBODY } from './territory.ts';

const CLUSTERS = {
  names: ['python', 'sums', 'poems'],
  dimensions: 3,
  centroids: Float32Array.of(0.9, 0, 0, 0, 0.8, 0, 0, 0, 0.7),
};

const text = (name: string, ...vector: number[]) => ({
  text: name,
  kind: 'description' as const,
  vector: Float32Array.from(vector),
});

function expert(id: string, more: Partial<ExpertProfile> = {}): ExpertProfile {
  return { id, clusters: [], texts: [], fallback: false, ...more };
}

/** What people ask besides: one topic near each cluster. */
const TOPICS = [
  { name: 'programming', of: 'programming', vectors: [Float32Array.of(1, 0, 0)] },
  { name: 'mathematics', of: 'mathematics', vectors: [Float32Array.of(0, 1, 0)] },
  { name: 'writing', of: 'writing', vectors: [Float32Array.of(0, 0, 1)] },
];

const assigned = (experts: readonly ExpertProfile[]) =>
  assignClusters(CLUSTERS, experts, claimsOf(experts, TOPICS, 3));
const owners = (experts: readonly ExpertProfile[]) =>
  assigned(experts).map((one) => (one.expert === NOBODY ? 'nobody' : experts[one.expert]!.id));

describe('assignClusters', () => {
  it("gives nobody a cluster by turns: without texts they are the fallback's, or nobody's", () => {
    expect(owners([expert('a'), expert('b')])).toEqual(['nobody', 'nobody', 'nobody']);
    expect(owners([expert('a'), expert('b', { fallback: true })])).toEqual(['b', 'b', 'b']);
  });

  it('follows named clusters before anything else', () => {
    const coder = expert('coder', { texts: [text('code', 1, 0, 0)] });
    expect(owners([coder, expert('b', { clusters: ['python', 2] })])).toEqual(['b', 'coder', 'b']);
    expect(assigned([expert('a', { clusters: [0] }), expert('b')])[0]!.how).toBe('named');
  });

  it('follows the texts, and says which one it was and who came next', () => {
    const experts = [
      expert('coder', { texts: [text('code', 1, 0.1, 0)] }),
      expert('rest', { texts: [text('sum', 0, 1, 0), text('poem', 0, 0.6, 1)] }),
    ];
    const found = assigned(experts);
    expect(found.map((one) => one.expert)).toEqual([0, 1, 1]);
    expect(found[2]).toMatchObject({ how: 'described', text: 'poem', runnerUp: { expert: 0 } });
    expect(found[0]!.similarity).toBeCloseTo(1, 6);
  });

  it('leaves to the fallback what no text is about', () => {
    const experts = [expert('coder', { texts: [text('code', 1, 0, 0)] }), expert('any', { fallback: true })];
    expect(owners(experts)).toEqual(['coder', 'any', 'any']);
    expect(assigned(experts)[1]!.how).toBe('fallback');
  });

  it('refuses unknown and contested clusters, with a suggestion', () => {
    expect(() => owners([expert('a', { clusters: ['pyhton'] })])).toThrow("Did you mean 'python'?");
    expect(() => owners([expert('a', { clusters: [7] })])).toThrow('It has 0 … 2');
    expect(() => owners([expert('a', { clusters: [1] }), expert('b', { clusters: ['sums'] })])).toThrow(
      "claimed by both 'a' and 'b'",
    );
  });
});
