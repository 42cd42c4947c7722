/** Limits in a real Redis: exact over several gateways, and nothing held for longer than a reservation lives. */
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bounds, Ledger, type Reservation, type Scope } from '../src/serving/limits/ledger.ts';
import { boundsOf, keysOf, RedisStore, verdictOf } from '../src/serving/limits/redis-store.ts';
import { LEDGER_SCRIPT } from '../src/serving/limits/script.ts';
import { type RealRedis, redisProgram, startRedis } from './support/redis.ts';

const program = redisProgram();
const NONE: Bounds = { requests: null, tokens: null, concurrent: null, day: null, month: null };
const open: RedisStore[] = [];
let redis: RealRedis;

function store(deadline = 2000): RedisStore {
  const made = new RedisStore({ url: redis.url, deadline, log: () => {} });
  open.push(made);
  return made;
}

describe.skipIf(program === null)('limits in Redis (skipped where redis-server is not installed)', () => {
  beforeAll(async () => {
    redis = await startRedis(program!);
  });
  afterAll(async () => {
    await Promise.all(open.map((one) => one.close()));
    await redis?.close();
  });

  it('decides as the ledger in memory does', { timeout: 60_000 }, async () => {
    const client = new Redis(redis.url, { scripts: { limits: { lua: LEDGER_SCRIPT } } }) as Redis & {
      limits(keys: number, ...rest: (string | number)[]): Promise<number[]>;
    };
    const bound = (max: number) => fc.option(fc.integer({ min: 1, max }), { nil: null });
    const bounds = fc.record({
      requests: bound(8),
      tokens: bound(200),
      concurrent: bound(4),
      day: bound(300),
      month: bound(500),
    });
    const step = fc.record({
      op: fc.constantFrom('reserve', 'reserve', 'extend', 'settle') as fc.Arbitrary<
        'reserve' | 'extend' | 'settle'
      >,
      id: fc.integer({ min: 0, max: 12 }),
      tokens: fc.integer({ min: 0, max: 120 }),
      money: fc.integer({ min: 0, max: 120 }),
      // A clock may be set back.
      after: fc.integer({ min: -3e6, max: 8e6 }),
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(bounds, bounds, fc.array(step, { maxLength: 40 }), async (first, second, list) => {
        run += 1;
        const scopes: readonly Scope[] = [
          { name: 'key:a', bounds: first },
          { name: 'team', bounds: second },
        ];
        const ledger = new Ledger();
        const begun = new Set<number>();
        let now = Date.UTC(2026, 0, 31, 23, 58) * 1000;
        for (const { op, id, tokens, money, after } of list) {
          if (op === 'reserve' ? begun.has(id) : !begun.has(id)) continue;
          begun.add(id);
          now += after;
          const amount: Reservation = { id: String(id), ttl: 20e6, tokens, money };
          const keys = keysOf(`run${run}`, scopes, amount.id);
          const args = [op, amount.id, amount.ttl, tokens, money, now, ...scopes.flatMap(boundsOf)];
          const answer = await client.limits(keys.length, ...keys, ...args);
          if (op === 'reserve') {
            const here = ledger.reserve(scopes, amount, now);
            expect(verdictOf(answer)).toEqual(here.admitted ? here : { ...here, wait: Math.ceil(here.wait) });
          } else ledger[op](scopes, amount, now);
        }
      }),
      { numRuns: 150 },
    );
    client.disconnect();
  });

  it.each([2, 4])(
    'admits exactly the budget over %i replicas, however many ask at once',
    async (replicas) => {
      const stores = Array.from({ length: replicas }, () => store());
      await Promise.all(stores.map((one) => one.ready(5000)));
      const tag = `exact${replicas}`;
      const party = { tag, scopes: [{ name: 'key:a', bounds: { ...NONE, day: 500 } }] };
      const verdicts = await Promise.all(
        Array.from({ length: 2000 }, (_, index) => {
          const reservation = { id: `${tag}-${index}`, ttl: 60e6, tokens: 1, money: 1 };
          return stores[index % replicas]!.reserve(party, reservation);
        }),
      );
      expect(verdicts.filter((verdict) => verdict?.admitted).length / 500).toBe(1);
      expect(verdicts).not.toContain(null);
    },
  );

  it('answers within its deadline while Redis is stopped, and holds nothing afterwards', {
    timeout: 20_000,
  }, async () => {
    const one = store(150);
    await one.ready(5000);
    const party = { tag: 'stopped', scopes: [{ name: 'key:a', bounds: { ...NONE, concurrent: 3 } }] };
    const ask = (id: string) => one.reserve(party, { id, ttl: 1e6, tokens: 1, money: 0 });
    expect(await ask('before')).toMatchObject({ admitted: true });
    redis.process.kill('SIGSTOP');
    const lost = await Promise.all(Array.from({ length: 50 }, (_, index) => ask(`lost${index}`)));
    redis.process.kill('SIGCONT');
    expect(lost.every((verdict) => verdict === null)).toBe(true);
    // Both what was carried out unheard and what its gateway never ended.
    await expect
      .poll(
        async () =>
          (await Promise.all(['x', 'y', 'z'].map((id) => ask(`${id}${Math.random()}`)))).every(
            (v) => v?.admitted,
          ),
        {
          timeout: 10_000,
          interval: 1200,
        },
      )
      .toBe(true);
  });

  it('gives back what a gateway held that was killed', { timeout: 10_000 }, async () => {
    const killed = store();
    const other = store();
    await Promise.all([killed.ready(5000), other.ready(5000)]);
    const party = { tag: 'killed', scopes: [{ name: 'key:a', bounds: { ...NONE, concurrent: 1, day: 10 } }] };
    const reservation = { ttl: 500_000, tokens: 1, money: 10 };
    expect(await killed.reserve(party, { ...reservation, id: 'a' })).toMatchObject({ admitted: true });
    expect(await other.reserve(party, { ...reservation, id: 'b' })).toMatchObject({ admitted: false });
    await expect
      .poll(async () => (await other.reserve(party, { ...reservation, id: 'c' }))?.admitted, {
        timeout: 3000,
      })
      .toBe(true);
  });
});
