import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../core/random.ts';
import { arrivalTimes, burstRates } from './arrivals.ts';
import { drawCluster, normalised, ringAffinities, zipfShares } from './clusters.ts';
import { Conversations } from './conversations.ts';
import { checkLengths, drawLengths, NAMED_LENGTHS } from './lengths.ts';
import { parseTrace } from './traces.ts';

describe('arrivals', () => {
  it('a Poisson stream has its rate, and a variance equal to its mean', () => {
    const times = [...arrivalTimes({ kind: 'poisson', perSecond: 20 }, 2000, seededRandom(1))];
    expect(times.length / 2000).toBeCloseTo(20, 0);
    expect(dispersion(times, 2000)).toBeCloseTo(1, 0);
  });

  it('bursts keep the mean rate and are more uneven than Poisson', () => {
    const loop = { kind: 'bursts', perSecond: 20, factor: 10, busySeconds: 5, busyShare: 0.1 } as const;
    const times = [...arrivalTimes(loop, 5000, seededRandom(2))];
    expect(Math.abs(times.length / 5000 / 20 - 1)).toBeLessThan(0.1);
    expect(dispersion(times, 5000)).toBeGreaterThan(5);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    const { quiet, busy } = burstRates(loop);
    expect(0.1 * busy + 0.9 * quiet).toBeCloseTo(20);
  });

  /** Variance over mean of the counts per second. */
  function dispersion(times: readonly number[], seconds: number): number {
    const counts = new Array<number>(seconds).fill(0);
    for (const time of times) counts[Math.floor(time)]! += 1;
    const mean = times.length / seconds;
    return counts.reduce((sum, c) => sum + (c - mean) ** 2, 0) / seconds / mean;
  }
});

describe('lengths', () => {
  it('chat-like lengths have the medians and 90th percentiles of the trace they are named after', () => {
    const random = seededRandom(3);
    const drawn = Array.from({ length: 20_000 }, () => drawLengths(NAMED_LENGTHS.chat!, random));
    const quantile = (key: 'promptTokens' | 'outputTokens', q: number): number =>
      drawn.map((d) => d[key]).sort((a, b) => a - b)[Math.floor(q * drawn.length)]!;
    expect(quantile('promptTokens', 0.5)).toBeCloseTo(1020, -2);
    expect(Math.abs(quantile('promptTokens', 0.9) / 2734 - 1)).toBeLessThan(0.05);
    expect(Math.abs(quantile('outputTokens', 0.9) / 424 - 1)).toBeLessThan(0.08);
  });

  it('refuses lengths nobody can have', () => {
    const bad = { kind: 'lognormal', median: 100, p95: 50, max: 200 } as const;
    expect(() => checkLengths({ kind: 'independent', prompt: bad, output: bad })).toThrow(
      /lengths.prompt.p95/,
    );
  });
});

describe('clusters', () => {
  it('Zipf shares sum to one and fall; skew 0 is balanced', () => {
    expect(zipfShares(8, 0)).toEqual(new Array(8).fill(1 / 8));
    expect(zipfShares(8, 1)[0]).toBeCloseTo(0.368, 2);
    expect(() => zipfShares(8, -1)).toThrow(/skew/);
    expect(() => normalised([0, 0])).toThrow(/shares/);
  });

  it('are drawn as often as their shares say', () => {
    const random = seededRandom(4);
    const counts = [0, 0, 0];
    for (let i = 0; i < 30_000; i++) counts[drawCluster([0.5, 0.3, 0.2], random)]! += 1;
    expect(counts.map((c) => Math.round(c / 3000))).toEqual([5, 3, 2]);
  });

  it('have one home each', () => {
    for (let c = 0; c < 8; c++) expect(ringAffinities(c, 8).filter((a) => a === 1)).toHaveLength(1);
  });
});

describe('traces', () => {
  it("reads Azure's rows with times from the first", () => {
    const text =
      'TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.9951690,396,109\n';
    const [first, second] = parseTrace(text, 't');
    expect(first).toEqual({ time: 0, promptTokens: 374, outputTokens: 44 });
    expect(second!.time).toBeCloseTo(4.314579, 6);
  });

  it("reads Mooncake's rows with their prefixes", () => {
    const text = '{"timestamp": 500, "input_length": 1200, "output_length": 5, "hash_ids": [0, 1, 2]}\n';
    expect(parseTrace(text, 't')).toEqual([
      { time: 0.5, promptTokens: 1200, outputTokens: 5, prefixIds: [0, 1, 2] },
    ]);
  });

  it('names the line that is of no known form', () => {
    expect(() => parseTrace('a,b\n1,2', 't')).toThrow(/line 1/);
    expect(() => parseTrace('{"timestamp": 1}\n', 't')).toThrow(/line 1 lacks/);
    expect(() => parseTrace('', 't')).toThrow(/empty/);
  });
});

describe('conversations', () => {
  it('carry everything said before, under the same ids, and begin anew after their last turn or when too long', () => {
    const conversations = new Conversations(3, 10_000);
    const own = { promptTokens: 500, outputTokens: 100 };
    const asked = [0, 1, 2, 3].map(() => conversations.next(7, own));
    expect(asked.map((t) => t.promptTokens)).toEqual([500, 1100, 1700, 500]);
    expect(asked[1]!.prefix.ids.slice(0, 1)).toEqual(asked[0]!.prefix.ids);
    expect(asked[3]!.prefix.ids[0]).not.toBe(asked[0]!.prefix.ids[0]);
    expect(conversations.next(8, own).prefix.ids[0]).not.toBe(asked[3]!.prefix.ids[0]);
    const short = new Conversations(9, 1500);
    expect([0, 1, 2].map(() => short.next(1, own).promptTokens)).toEqual([500, 1100, 500]);
  });
});
