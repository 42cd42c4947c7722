import { describe, expect, it } from 'vitest';
import { assignClusters, type ExpertProfile } from './assignment.ts';

const CLUSTERS = {
  names: ['python', 'sums', 'poems'],
  dimensions: 3,
  centroids: Float32Array.of(0.9, 0, 0, 0, 0.8, 0, 0, 0, 0.7),
};

const text = (name: string, ...vector: number[]) => ({ text: name, vector: Float32Array.from(vector) });

function expert(id: string, more: Partial<ExpertProfile> = {}): ExpertProfile {
  return { id, clusters: [], texts: [], fallback: false, ...more };
}

const owners = (experts: readonly ExpertProfile[]) =>
  assignClusters(CLUSTERS, experts).map((one) => experts[one.expert]!.id);

describe('assignClusters', () => {
  it('assigns clusters in turn if no expert is described', () => {
    expect(owners([expert('a'), expert('b')])).toEqual(['a', 'b', 'a']);
  });

  it('follows named clusters, and assigns the others in turn', () => {
    expect(owners([expert('a', { clusters: ['sums', 2] }), expert('b')])).toEqual(['b', 'a', 'a']);
  });

  it('follows the nearest text, and says which one it was and who came next', () => {
    const experts = [
      expert('coder', { texts: [text('code', 1, 0.1, 0)] }),
      expert('rest', { texts: [text('sum', 0, 1, 0), text('poem', 0, 0.6, 1)] }),
    ];
    const assigned = assignClusters(CLUSTERS, experts);
    expect(assigned.map((one) => one.expert)).toEqual([0, 1, 1]);
    expect(assigned[2]).toMatchObject({ how: 'described', text: 'poem', runnerUp: { expert: 0 } });
    expect(assigned[0]!.similarity).toBeCloseTo(1 / Math.hypot(1, 0.1), 6);
  });

  it("leaves a cluster that no text comes near to the fallback's care", () => {
    const experts = [expert('coder', { texts: [text('code', 1, 0, 0)] }), expert('any', { fallback: true })];
    expect(owners(experts)).toEqual(['coder', 'any', 'any']);
    expect(assignClusters(CLUSTERS, experts)[1]!.how).toBe('fallback');
  });

  it('refuses unknown and contested clusters, with a suggestion', () => {
    expect(() => owners([expert('a', { clusters: ['pyhton'] })])).toThrow("Did you mean 'python'?");
    expect(() => owners([expert('a', { clusters: [7] })])).toThrow('It has 0 … 2');
    expect(() => owners([expert('a', { clusters: [1] }), expert('b', { clusters: ['sums'] })])).toThrow(
      "claimed by both 'a' and 'b'",
    );
  });
});
