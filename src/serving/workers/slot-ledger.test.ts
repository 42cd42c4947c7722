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
      slots: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), fc.nat(12), (steps, limit) => {
        const ledger = new SlotLedger();
        const held = new Map<number, number>();
        const add = (worker: number, slots: number) => held.set(worker, (held.get(worker) ?? 0) + slots);
        for (const { act, worker, slots } of steps) {
          if (act === 'want') {
            const grant = ledger.want(worker, 'e/0', slots, limit);
            if (grant) add(worker, grant.slots);
          } else {
            const back = act === 'gone' ? (held.get(worker) ?? 0) : Math.min(slots, held.get(worker) ?? 0);
            add(worker, -back);
            const grants = act === 'gone' ? ledger.gone(worker) : ledger.giveBack(worker, 'e/0', back);
            for (const grant of grants) add(grant.worker, grant.slots);
          }
          expect([...held.values()].reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(limit);
          expect([...held.values()].every((one) => one >= 0)).toBe(true);
        }
      }),
    );
  });

  it('serves who waits when slots come back', () => {
    const ledger = new SlotLedger();
    expect(ledger.want(1, 'e/0', 2, 2)).toMatchObject({ slots: 2 });
    expect(ledger.want(2, 'e/0', 2, 2)).toBeNull();
    expect(ledger.holders('e/0', 2)).toEqual([1]);
    expect(ledger.giveBack(1, 'e/0', 1)).toEqual([{ worker: 2, key: 'e/0', slots: 1 }]);
    expect(ledger.gone(2)).toEqual([]);
    expect(ledger.want(1, 'e/0', 9, 2)).toMatchObject({ slots: 1 });
  });

  it('takes up another limit: a higher one at once, a lower one as slots come back', () => {
    const ledger = new SlotLedger();
    ledger.want(1, 'e/0', 4, 4);
    expect(ledger.want(2, 'e/0', 4, 6)).toMatchObject({ slots: 2 });
    expect(ledger.want(2, 'e/0', 1, 3)).toBeNull();
    expect(ledger.giveBack(1, 'e/0', 3)).toEqual([]);
    expect(ledger.giveBack(1, 'e/0', 1)).toEqual([{ worker: 2, key: 'e/0', slots: 1 }]);
  });
});

describe('WorkerLink', () => {
  function linked() {
    const sent: ToPrimary[] = [];
    let tell: (message: ToWorker) => void = () => {};
    const channel: Channel = {
      open: true,
      send: (message) => sent.push(message),
      onMessage: (listener) => {
        tell = listener;
      },
    };
    const link = new WorkerLink(channel, () => {});
    return { link, sent, tell };
  }

  it('asks once while it has nothing, and gives back what another needs, at once or when it is free', () => {
    const { link, sent, tell } = linked();
    const slots = link.slots('e/0');
    slots.limitTo(16);
    expect(link.slots('e/0')).toBe(slots);
    expect([slots.free, slots.free]).toEqual([false, false]);
    expect(sent).toEqual([{ type: 'want', key: 'e/0', slots: 2, limit: 16 }]);
    tell({ type: 'granted', key: 'e/0', slots: 2 });
    expect(slots.free).toBe(true);
    slots.take();
    tell({ type: 'reclaim', key: 'e/0' });
    expect(sent.at(-1)).toEqual({ type: 'give-back', key: 'e/0', slots: 1 });
    tell({ type: 'reclaim', key: 'e/0' });
    expect(sent).toHaveLength(2);
    slots.release();
    expect(sent.at(-1)).toEqual({ type: 'give-back', key: 'e/0', slots: 1 });
    expect(slots.free).toBe(false);
  });

  it('under another limit gives back what it does not use, and what it uses when that is free', () => {
    const { link, sent, tell } = linked();
    const slots = link.slots('e/0');
    slots.limitTo(16);
    expect(slots.free).toBe(false);
    tell({ type: 'granted', key: 'e/0', slots: 2 });
    slots.take();
    slots.limitTo(1);
    expect(sent.at(-1)).toEqual({ type: 'give-back', key: 'e/0', slots: 1 });
    slots.release();
    expect(sent.at(-1)).toEqual({ type: 'give-back', key: 'e/0', slots: 1 });
    expect(slots.free).toBe(false);
    expect(sent.at(-1)).toEqual({ type: 'want', key: 'e/0', slots: 1, limit: 1 });
  });
});
