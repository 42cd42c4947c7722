import { describe, expect, it } from 'vitest';
import { GpuRates } from './gpu-rates.ts';

const rates = () =>
  new GpuRates(
    new Map([
      ['own', { per_gpu_hour: 3600, gpus: 2 }],
      ['cloud', { input: 1, output: 2 }],
    ]),
  );

describe('what a token is expected to cost in the time of GPUs', () => {
  it('is that of 500 tokens a second until a request has ended, and then what they were charged', () => {
    const all = rates();
    expect(all.expected('own', 500)).toBe(2_000_000);
    for (let n = 0; n < 200; n++) all.ended('own', 1_000, 50_000);
    expect(all.expected('own', 1_000)).toBeLessThan(51_000);
    expect(all.expected('own', 1_000)).toBeGreaterThanOrEqual(50_000);
  });

  it('is nothing where GPUs have no price, and what says nothing teaches nothing', () => {
    const all = rates();
    all.ended('cloud', 100, 5_000);
    expect([all.expected('cloud', 1_000), all.expected('nobody', 1_000)]).toEqual([0, 0]);
    all.ended('own', 0, 5_000);
    expect(all.expected('own', 500)).toBe(2_000_000);
  });
});
