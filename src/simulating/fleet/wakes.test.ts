import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Wakes } from './wakes.ts';

it('says at any time who is due first: the lowest number among those of the least time', () => {
  const time = fc.oneof(fc.nat(20), fc.constant(Number.POSITIVE_INFINITY));
  const changes = fc.array(fc.tuple(fc.nat(12), time), { maxLength: 200 });
  fc.assert(
    fc.property(changes, (list) => {
      const wakes = new Wakes(13);
      const times = new Array<number>(13).fill(Number.POSITIVE_INFINITY);
      for (const [replica, at] of list) {
        wakes.set(replica, at);
        times[replica] = at;
        expect(wakes.firstTime).toBe(Math.min(...times));
        expect(times[wakes.first]).toBe(wakes.firstTime);
        if (wakes.firstTime < Number.POSITIVE_INFINITY)
          expect(wakes.first).toBe(times.indexOf(wakes.firstTime));
      }
    }),
  );
});
