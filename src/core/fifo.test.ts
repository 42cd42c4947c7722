import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Fifo } from './fifo.ts';

const STEP = fc.oneof(
  { weight: 4, arbitrary: fc.record({ push: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ unshift: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ remove: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.constant({ shift: true }) },
);

it('holds what an array would hold, whatever is done to both', () => {
  fc.assert(
    fc.property(fc.array(STEP, { maxLength: 200 }), (steps) => {
      const queue = new Fifo<number>();
      const list: number[] = [];
      for (const step of steps) {
        if ('push' in step) {
          queue.push(step.push);
          list.push(step.push);
        } else if ('unshift' in step) {
          queue.unshift(step.unshift);
          list.unshift(step.unshift);
        } else if ('remove' in step) {
          const at = list.indexOf(step.remove);
          expect(queue.remove((item) => item === step.remove)).toBe(at >= 0);
          if (at >= 0) list.splice(at, 1);
        } else expect(queue.shift()).toBe(list.shift());
        expect([...queue]).toEqual(list);
        expect([queue.size, queue.peek()]).toEqual([list.length, list[0]]);
      }
    }),
  );
});
