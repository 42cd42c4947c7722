import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bounds, Ledger, MINUTE, monthOf, type Scope } from './ledger.ts';

const NONE: Bounds = { requests: null, tokens: null, concurrent: null, day: null, month: null };
const TTL = 30e6;
const START = Date.UTC(2026, 0, 31, 12) * 1000;

interface Step {
  readonly after: number;
  readonly tokens: number;
  readonly used: number;
  /** Position of an earlier request that ends first; beyond those open, none does. */
  readonly ends: number;
}

const steps = fc.array(
  fc.record({
    after: fc.integer({ min: 0, max: 20e6 }),
    tokens: fc.integer({ min: 0, max: 120 }),
    used: fc.integer({ min: 0, max: 120 }),
    ends: fc.nat(12),
  }),
  { maxLength: 80 },
);

/** Runs the steps and tells what was admitted and what was settled, when. */
function play(scopes: readonly Scope[], list: readonly Step[]) {
  const ledger = new Ledger();
  const admitted: number[] = [];
  const settled: { at: number; tokens: number }[] = [];
  let open: { id: string; deadline: number; tokens: number; used: number }[] = [];
  let most = 0;
  let now = START;
  for (const [index, { after, tokens, used, ends }] of list.entries()) {
    now += after;
    open = open.filter(({ deadline }) => deadline > now);
    const ending = open[ends];
    if (ending) {
      const amount = Math.min(ending.used, ending.tokens);
      ledger.settle(scopes, { id: ending.id, ttl: TTL, tokens: amount, money: amount }, now);
      settled.push({ at: now, tokens: amount });
      open = open.filter((one) => one !== ending);
    }
    const id = String(index);
    if (!ledger.reserve(scopes, { id, ttl: TTL, tokens, money: tokens }, now).admitted) continue;
    admitted.push(now);
    open.push({ id, deadline: now + TTL, tokens, used });
    most = Math.max(most, open.length);
  }
  return { ledger, admitted, settled, most, now, open };
}

describe('the ledger of limits', () => {
  it('admits no more requests in any window than a full bucket and its refill', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 30 }), (list, requests) => {
        const { admitted } = play([{ name: 'k', bounds: { ...NONE, requests } }], list);
        admitted.forEach((from, first) => {
          admitted.slice(first).forEach((to, more) => {
            expect(more + 1).toBeLessThanOrEqual(requests + ((to - from) * requests) / MINUTE + 1e-6);
          });
        });
      }),
    );
  });

  it('lets no more tokens be used in any window than a full bucket and its refill, whatever was expected', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 20, max: 300 }), (list, tokens) => {
        const { settled } = play([{ name: 'k', bounds: { ...NONE, tokens } }], list);
        settled.forEach(({ at: from }, first) => {
          let sum = 0;
          for (const one of settled.slice(first)) {
            sum += one.tokens;
            expect(sum).toBeLessThanOrEqual(tokens + ((one.at - from) * tokens) / MINUTE + 1e-6);
          }
        });
      }),
    );
  });

  it('spends no more than the budget, holds no more than may run at once, and leaks nothing', () => {
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 1, max: 900 }),
        fc.integer({ min: 1, max: 6 }),
        (list, day, concurrent) => {
          const { settled, most, ledger, now, open } = play(
            [{ name: 'k', bounds: { ...NONE, day, concurrent } }],
            list,
          );
          const byDay = new Map<number, number>();
          for (const { at, tokens } of settled) {
            const one = Math.floor(at / 86_400e6);
            byDay.set(one, (byDay.get(one) ?? 0) + tokens);
          }
          for (const spent of byDay.values()) expect(spent).toBeLessThanOrEqual(day);
          expect(most).toBeLessThanOrEqual(concurrent);
          expect(ledger.open(now)).toBe(open.filter(({ deadline }) => deadline > now).length);
          expect(ledger.open(now + TTL)).toBe(0);
        },
      ),
    );
  });

  it('holds both bounds, and takes nothing from the one where the other refuses', () => {
    const ledger = new Ledger();
    const key = { name: 'key', bounds: { ...NONE, requests: 10 } };
    const team = { name: 'team', bounds: { ...NONE, requests: 2 } };
    const ask = (id: string) => ledger.reserve([key, team], { id, ttl: TTL, tokens: 0, money: 0 }, START);
    expect([ask('a'), ask('b')].map(({ admitted }) => admitted)).toEqual([true, true]);
    expect(ask('c')).toMatchObject({ admitted: false, scope: 1, limit: 'requests' });
    expect(ledger.reserve([key], { id: 'd', ttl: TTL, tokens: 0, money: 0 }, START)).toMatchObject({
      left: [{ requests: 7 }],
    });
  });

  it('charges once however often an end is told, also after its time', () => {
    const ledger = new Ledger();
    const scopes = [{ name: 'k', bounds: { ...NONE, day: 10 } }];
    const amount = { id: 'a', ttl: TTL, tokens: 0, money: 6 };
    ledger.reserve(scopes, amount, START);
    for (const later of [TTL + 1, TTL + 2]) ledger.settle(scopes, amount, START + later);
    expect(ledger.reserve(scopes, { ...amount, id: 'b', money: 4 }, START + TTL + 3).admitted).toBe(true);
    expect(ledger.reserve(scopes, { ...amount, id: 'c', money: 1 }, START + TTL + 3)).toMatchObject({
      limit: 'day',
    });
  });

  it('takes nobody’s time where the clock is set back: what was to come is as far away as it was', () => {
    const ledger = new Ledger();
    const scopes = [{ name: 'k', bounds: { ...NONE, requests: 1, concurrent: 2 } }];
    const ask = (id: string, now: number) =>
      ledger.reserve(scopes, { id, ttl: TTL, tokens: 0, money: 0 }, now);
    const hour = 60 * MINUTE;
    expect(ask('a', START).admitted).toBe(true);
    expect(ask('b', START - hour)).toMatchObject({ limit: 'requests', wait: MINUTE });
    expect(ask('b', START - hour + MINUTE).admitted).toBe(true);
    // The first was never ended, and has ended by itself in its own time.
    expect(ledger.open(START - hour + MINUTE)).toBe(1);
    // So too over a restart, which keeps what was counted and nothing that was open.
    const next = new Ledger();
    next.restore('k', ledger.saved('k'));
    expect(next.reserve(scopes, { id: 'c', ttl: TTL, tokens: 0, money: 0 }, START - 2 * hour)).toMatchObject({
      wait: MINUTE,
    });
  });

  it('counts months as the calendar does', () => {
    for (let day = -1000; day < 40_000; day += 7) {
      const date = new Date(day * 86_400_000);
      expect(monthOf(day)).toBe(date.getUTCFullYear() * 12 + date.getUTCMonth());
    }
  });
});
