import { describe, expect, it } from 'vitest';
import { waitingOf } from './backlog.ts';
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
    expect(pressure.refusal({})).toBeNull();
  });

  it('serves all while there is time between turns, be they late on a busy machine', () => {
    const { pressure, turns, pass } = run();
    turns(200, 60_000, 0.1);
    pass(100);
    expect(pressure.refusal({})).toBeNull();
  });

  it('serves a wave, and refuses what comes late in its turn once long turns last', () => {
    const { pressure, turns, pass } = run();
    turns(200, 4_000);
    pass(100);
    expect(pressure.refusal({})).toBeNull();
    turns(200, 4_000);
    expect(pressure.refusal({})).toBeNull();
    pass(100);
    const retryAfter = pressure.refusal({});
    expect(retryAfter).toBeGreaterThanOrEqual(7);
    expect(retryAfter).toBeLessThanOrEqual(9);
    turns(10, 3_000);
    pass(100);
    expect(pressure.refusal({})).toBeNull();
  });

  it('refuses a growing share of connections while they wait long to be accepted, and never all', () => {
    const { pressure, turns } = run();
    /** How many of a hundred connections are refused, once each. */
    const refused = (waited: number): number => {
      let count = 0;
      for (let i = 0; i < 100; i++) {
        const connection = {};
        pressure.came(connection, waited);
        turns(0, PRESSURE_EVERY_MS);
        if (pressure.refusal(connection) !== null) count += 1;
        expect(pressure.refusal(connection)).toBeNull();
      }
      return count;
    };
    expect([refused(300), refused(300)]).toEqual([0, 0]);
    for (let i = 0; i < 2; i++) refused(300);
    expect(refused(300)).toBe(90);
    for (let i = 0; i < 2; i++) refused(0);
    expect(refused(0)).toBe(0);
  });
});

describe('the backlog', () => {
  it('is what waits at the sockets that listen on the port', () => {
    const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:0000012C 00:00000000 00000000     0        0 537452 1 0 100 0 0 10 0
   1: 0100007F:1F91 00000000:0000 0A 00000000:00000007 00:00000000 00000000     0        0 537454 1 0 100 0 0 10 0
   2: 0100007F:1F90 0100007F:A387 01 00000000:00000100 00:00000000 00000000     0        0 537479 1 0 100 0 1 10 0`;
    expect(waitingOf(table, '1F90')).toBe(300);
    expect(waitingOf(table, '1F92')).toBe(0);
  });
});
