import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BusyClock } from './busy-clock.ts';

describe('the shares of the requests at a server', () => {
  it('are a half each where two are there', () => {
    const clock = new BusyClock();
    clock.change(1, 0);
    clock.change(1, 1_000);
    const second = clock.virtual(1_000);
    clock.change(-1, 3_000);
    expect(clock.virtual(3_000)).toBe(2_000);
    expect(clock.virtual(3_000) - second).toBe(1_000);
    clock.change(-1, 4_000);
    expect(clock.virtual(9_000)).toBe(3_000);
    expect(clock.busy(9_000)).toBe(4_000);
  });

  it('add up to its busy time, however they come and go', () => {
    const stays = fc.array(fc.tuple(fc.nat(1_000), fc.integer({ min: 1, max: 500 })), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(stays, (list) => {
        const clock = new BusyClock();
        const begun: number[] = [];
        let sum = 0;
        const events = list.flatMap(([from, ms], id) => [
          { at: from, id, ends: false },
          { at: from + ms, id, ends: true },
        ]);
        for (const { at, id, ends } of events.toSorted(
          (a, b) => a.at - b.at || Number(a.ends) - Number(b.ends),
        )) {
          if (ends) {
            sum += clock.virtual(at) - begun[id]!;
            clock.change(-1, at);
          } else {
            begun[id] = clock.virtual(at);
            clock.change(1, at);
          }
        }
        expect(sum).toBeCloseTo(clock.busy(2_000), 6);
      }),
    );
  });
});
