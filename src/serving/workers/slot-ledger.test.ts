import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ToPrimary, ToWorker } from './messages.ts';
import { SlotLedger } from './slot-ledger.ts';
import { type Channel, WorkerLink } from './worker-link.ts';

describe('SlotLedger', () => {
  it('never gives out more than there is, and loses nothing, whatever workers do', () => {
    const step = fc.record({
      act: fc.constantFrom('want', 'back', 'gone'),
      worker: fc.nat(3),
      places: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), fc.nat(12), (steps, limit) => {
        const ledger = new SlotLedger();
        const held = new Map<number, number>();
        let asked = false;
        const add = (worker: number, places: number) => held.set(worker, (held.get(worker) ?? 0) + places);
        for (const { act, worker, places } of steps) {
          if (act === 'want') {
            const grant = ledger.want(worker, 'e/0', places, limit);
            if (grant) add(worker, grant.places);
          } else {
            const back = act === 'gone' ? (held.get(worker) ?? 0) : Math.min(places, held.get(worker) ?? 0);
            add(worker, -back);
            const grants = act === 'gone' ? ledger.gone(worker) : ledger.giveBack(worker, 'e/0', back);
            for (const grant of grants) add(grant.worker, grant.places);
          }
          asked ||= act === 'want';
          if (asked) expect(ledger.total('e/0')).toBe(limit);
          expect([...held.values()].reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(limit);
          expect([...held.values()].every((one) => one >= 0)).toBe(true);
        }
      }),
    );
  });

  it('serves who waits when places come back', () => {
    const ledger = new SlotLedger();
    expect(ledger.want(1, 'e/0', 2, 2)).toMatchObject({ places: 2 });
    expect(ledger.want(2, 'e/0', 2, 2)).toBeNull();
    expect(ledger.holders('e/0', 2)).toEqual([1]);
    expect(ledger.giveBack(1, 'e/0', 1)).toEqual([{ worker: 2, key: 'e/0', places: 1 }]);
    expect(ledger.gone(2)).toEqual([]);
    expect(ledger.total('e/0')).toBe(2);
  });
});

describe('WorkerLink', () => {
  it('asks once while it has nothing, and gives back what another needs, at once or when it is free', () => {
    const sent: ToPrimary[] = [];
    let tell: (message: ToWorker) => void = () => {};
    const channel: Channel = {
      send: (message) => sent.push(message),
      onMessage: (listener) => {
        tell = listener;
      },
    };
    const link = new WorkerLink(channel, () => {});
    const slots = link.slots('e/0', 16);
    expect(link.slots('e/0', 16)).toBe(slots);
    expect([slots.free, slots.free]).toEqual([false, false]);
    expect(sent).toEqual([{ type: 'want', key: 'e/0', places: 2, limit: 16 }]);
    tell({ type: 'granted', key: 'e/0', places: 2 });
    expect(slots.free).toBe(true);
    slots.take();
    tell({ type: 'reclaim', key: 'e/0' });
    expect(sent.at(-1)).toEqual({ type: 'give-back', key: 'e/0', places: 1 });
    tell({ type: 'reclaim', key: 'e/0' });
    expect(sent).toHaveLength(2);
    slots.release();
    expect(sent.at(-1)).toEqual({ type: 'give-back', key: 'e/0', places: 1 });
    expect(slots.free).toBe(false);
  });
});
