import { describe, expect, it } from 'vitest';
import { PRESSURE_EVERY_MS, Pressure } from './pressure.ts';

/** A process whose turns take `turnMs`, for so long. */
function run() {
  let now = 0;
  let idle = 0;
  const pressure = new Pressure(
    () => now,
    () => idle,
  );
  const turns = (turnMs: number, forMs: number, idleShare = 0): void => {
    for (const until = now + forMs; now < until; ) {
      const length = Math.max(PRESSURE_EVERY_MS, turnMs);
      now += length;
      idle += length * idleShare;
      pressure.look();
    }
  };
  return { pressure, turns, pass: (ms: number) => (now += ms) };
}

describe('Pressure', () => {
  it('serves all while turns are short, however late in one', () => {
    const { pressure, turns, pass } = run();
    turns(10, 60_000);
    pass(500);
    expect(pressure.refusal()).toBeNull();
  });

  it('serves all while there is time between turns, be they late on a busy machine', () => {
    const { pressure, turns, pass } = run();
    turns(200, 60_000, 0.1);
    pass(100);
    expect(pressure.refusal()).toBeNull();
  });

  it('serves a wave, and refuses what comes late in its turn once long turns last', () => {
    const { pressure, turns, pass } = run();
    turns(200, 4_000);
    pass(100);
    expect(pressure.refusal()).toBeNull();
    turns(200, 4_000);
    expect(pressure.refusal()).toBeNull();
    pass(100);
    const retryAfter = pressure.refusal();
    expect(retryAfter).toBeGreaterThanOrEqual(7);
    expect(retryAfter).toBeLessThanOrEqual(9);
    turns(10, 3_000);
    pass(100);
    expect(pressure.refusal()).toBeNull();
  });
});
