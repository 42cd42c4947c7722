import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseAlike, chooseReplica, hash, type ReplicaSnapshot } from './replica.ts';

const replica = (
  name: string,
  outstandingTokens = 0,
  weight = 1,
  available = true,
  full = false,
): ReplicaSnapshot => ({ name, outstandingTokens, weight, available, full });

describe('the replica of a request', () => {
  it('takes the least loaded for its weight', () => {
    expect(chooseReplica([replica('a', 100), replica('b', 150, 2), replica('c', 90)], null)).toBe(1);
  });

  it('leaves out what is unavailable', () => {
    expect(chooseReplica([replica('a', 0, 1, false), replica('b')], 'key')).toBe(1);
    expect(chooseReplica([replica('a', 0, 1, false)], null)).toBe(null);
    expect(chooseReplica([replica('a', 0, 1, false)], 'key')).toBe(null);
  });

  it('sticks a conversation to one replica, and keys spread by weight', () => {
    const replicas = [replica('a'), replica('b'), replica('c', 0, 2)];
    const home = (key: string) => chooseReplica(replicas, key)!;
    const counts = [0, 0, 0];
    for (let i = 0; i < 4000; i++) counts[home(`conversation ${i}`)]! += 1;
    expect(home('x')).toBe(home('x'));
    expect(counts[0]! / 4000).toBeCloseTo(0.25, 1);
    expect(counts[2]! / 4000).toBeCloseTo(0.5, 1);
  });

  it('moves only the keys of a replica that leaves', () => {
    const all = [replica('a'), replica('b'), replica('c')];
    const less = [replica('a'), replica('b'), replica('c', 0, 1, false)];
    for (let i = 0; i < 200; i++) {
      const before = chooseReplica(all, `k${i}`)!;
      if (before !== 2) expect(chooseReplica(less, `k${i}`)).toBe(before);
    }
  });

  it('prefers one that has the adapter loaded, until that holds more than its share', () => {
    const absent = (name: string, tokens = 0) => ({ ...replica(name, tokens), unloaded: true });
    for (const key of ['k', 'l', 'm', null]) {
      expect(chooseReplica([absent('a'), replica('b', 1_900), absent('c')], key)).toBe(1);
      expect(chooseReplica([absent('a'), replica('b', 9_000), absent('c')], key)).not.toBe(1);
      expect(chooseReplica([absent('a'), replica('b', 0, 1, false)], key)).toBe(0);
      expect(chooseReplica([absent('a'), replica('b', 0, 1, true, true)], key)).toBe(0);
    }
  });

  it('takes one without room in its cache only where no other has any, its own conversations included', () => {
    const full = (name: string) => replica(name, 0, 1, true, true);
    for (const key of ['k', 'l', 'm', null]) {
      expect(chooseReplica([full('a'), replica('b', 900), replica('c', 800)], key)).toBeGreaterThan(0);
      expect(chooseReplica([full('a'), full('b')], key)).not.toBe(null);
    }
  });

  it('is the same for plain numbers, as the simulator chooses among replicas of one kind', () => {
    const load = fc.array(fc.oneof(fc.nat(20_000), fc.nat(1_000_000)), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(load, fc.string(), (loads, key) => {
        const replicas = loads.map((tokens, index) => replica(`${index}`, tokens));
        const names = Uint32Array.from(replicas, ({ name }) => hash(name));
        const sum = loads.reduce((a, b) => a + b, 0);
        expect(chooseAlike(names, Float64Array.from(loads), sum, key)).toBe(chooseReplica(replicas, key));
      }),
    );
  });

  it('invariant 18: never lets affinity beat overload: the sticky one has at most its bounded share', () => {
    const load = fc.array(fc.nat(1_000_000), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(load, fc.string(), (loads, key) => {
        const replicas = loads.map((tokens, index) => replica(`r${index}`, tokens));
        const mean = loads.reduce((sum, tokens) => sum + tokens, 0) / loads.length;
        expect(loads[chooseReplica(replicas, key)!]!).toBeLessThanOrEqual(1.25 * mean + 2_000);
      }),
    );
  });
});
