import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Roster, type Seat } from './roster.ts';

it('has those who have joined and not left, in any order', () => {
  const steps = fc.array(fc.oneof(fc.constant('join' as const), fc.nat(30)), { maxLength: 100 });
  fc.assert(
    fc.property(steps, (list) => {
      const roster = new Roster<number>();
      const seats: Seat<number>[] = [];
      const there = new Set<number>();
      for (const step of list) {
        if (step === 'join') {
          there.add(seats.length);
          seats.push(roster.join(seats.length));
        } else if (seats[step]) expect(roster.leave(seats[step])).toBe(there.delete(step));
      }
      expect(roster.members().toSorted((a, b) => a - b)).toEqual([...there]);
      expect(roster.size).toBe(there.size);
    }),
  );
});
