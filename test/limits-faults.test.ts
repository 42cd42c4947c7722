/** Limits in a Redis that fails: partitioned, demoted, restarted empty, full of numbers that nobody meant. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bounds } from '../src/serving/limits/ledger.ts';
import { keysOf, RedisStore } from '../src/serving/limits/redis-store.ts';
import type { Party } from '../src/serving/limits/store.ts';
import { type RealRedis, redisProgram, startRedis } from './support/redis.ts';
import { type Wire, wireTo } from './support/wire.ts';

const program = redisProgram();
const NONE: Bounds = { requests: null, tokens: null, concurrent: null, day: null, month: null };
const closing: (() => unknown)[] = [];
let redis: RealRedis;
let serial = 0;

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function another(...options: string[]): Promise<RealRedis> {
  const one = await startRedis(program!, 0, options);
  closing.push(() => one.close());
  return one;
}

async function store(url: string, deadline = 2000): Promise<RedisStore> {
  const made = new RedisStore({ url, deadline, log: () => {} });
  closing.push(() => made.close());
  await made.ready(5000);
  return made;
}

async function wire(): Promise<Wire> {
  const made = await wireTo(redis.url.slice('redis://'.length));
  closing.push(() => made.cut());
  return made;
}

const party = (bounds: Partial<Bounds>): Party => ({
  tag: `fault${serial++}`,
  scopes: [{ name: 'key:a', bounds: { ...NONE, ...bounds } }],
});
const taking = (more: object = {}) => ({ id: `r${serial++}`, ttl: 60e6, tokens: 0, money: 0, ...more });
const admits = async (one: RedisStore, of: Party, more: object = {}): Promise<boolean | undefined> =>
  (await one.reserve(of, taking(more)))?.admitted;

describe.skipIf(program === null)('limits (skipped where redis-server is not installed)', () => {
  beforeEach(async () => {
    redis = await another();
  });

  it('are not taken for away because this process was busy when the answer came', async () => {
    const one = await store(redis.url, 100);
    const asked = one.reserve(party({ requests: 5 }), taking());
    await new Promise(setImmediate); // sent
    for (const until = performance.now() + 300; performance.now() < until; );
    expect(await asked).toMatchObject({ admitted: true });
  });

  it('are asked over a new connection where one is gone without a word, and charge once what was under way', {
    timeout: 20_000,
  }, async () => {
    const cable = await wire();
    const [through, beside] = [await store(`redis://${cable.address}`, 100), await store(redis.url)];
    const budget = party({ day: 100, concurrent: 3 });
    const spent = taking({ money: 60 });
    expect(await through.reserve(budget, spent)).toMatchObject({ admitted: true });
    cable.swallow();
    through.settle(budget, spent);
    expect(await through.reserve(budget, taking({ money: 40 }))).toBeNull();
    await expect.poll(() => admits(through, budget, { ttl: 1e6 }), { timeout: 15_000 }).toBe(true);
    // Sixty are spent, and nothing is held.
    await expect.poll(() => admits(beside, budget, { money: 41, ttl: 1e6 }), { timeout: 5000 }).toBe(false);
    await expect.poll(() => admits(beside, budget, { money: 40, ttl: 1e6 }), { timeout: 5000 }).toBe(true);
  });

  it('follow the address to another server where theirs takes no counts any more', {
    timeout: 20_000,
  }, async () => {
    const [cable, next] = [await wire(), await another()];
    const one = await store(`redis://${cable.address}`, 300);
    const bounds = party({ requests: 100 });
    expect(await admits(one, bounds)).toBe(true);
    const admin = new Redis(redis.url);
    closing.push(() => admin.disconnect());
    await admin.replicaof('127.0.0.1', Number(next.url.split(':').at(-1)));
    cable.leadTo(next.url);
    await expect.poll(() => admits(one, bounds), { timeout: 10_000 }).toBe(true);
  });

  it('go on from nothing where it was restarted empty: what was under way is charged, and held again', async () => {
    const one = await store(redis.url);
    const budget = party({ day: 100, concurrent: 1 });
    const [ended, open] = [taking({ money: 60 }), taking({ money: 30 })];
    expect(await one.reserve(budget, ended)).toMatchObject({ admitted: true });
    const admin = new Redis(redis.url);
    closing.push(() => admin.disconnect());
    await admin.flushall();
    await admin.script('FLUSH');
    one.settle(budget, ended);
    one.extend(budget, open);
    await expect.poll(() => admits(one, budget)).toBe(false);
    one.settle(budget, open);
    await expect.poll(() => admits(one, budget, { money: 11, ttl: 1 })).toBe(false);
    await expect.poll(() => admits(one, budget, { money: 10, ttl: 1e6 })).toBe(true);
  });

  it('of two gateways that know different ones: neither forgets what the other counts', async () => {
    const [old, young] = [await store(redis.url), await store(redis.url)];
    const budget = party({ day: 100 });
    const { tag, scopes } = budget;
    const without: Party = { tag, scopes: [{ name: scopes[0]!.name, bounds: { ...NONE, requests: 5 } }] };
    const spent = taking({ money: 100 });
    await old.reserve(budget, spent);
    old.settle(budget, spent);
    for (let n = 0; n < 5; n += 1) expect(await admits(young, without, { money: 1 })).toBe(true);
    expect(await admits(young, without)).toBe(false);
    const admin = new Redis(redis.url);
    closing.push(() => admin.disconnect());
    // The one without a budget would have it kept for minutes.
    expect(await admin.pttl(keysOf(tag, scopes, '')[1]!)).toBeGreaterThan(30 * 86_400_000);
    expect(await admits(old, budget, { money: 1 })).toBe(false);
  });

  it('remember a debt of tokens for as long as it lasts', async () => {
    const one = await store(redis.url);
    const rate = party({ tokens: 10 });
    const answer = taking({ tokens: 10, ttl: 1e6 });
    await one.reserve(rate, answer);
    one.settle(rate, { ...answer, tokens: 1000 });
    expect(await admits(one, rate, { tokens: 1 })).toBe(false);
    const admin = new Redis(redis.url);
    closing.push(() => admin.disconnect());
    // A hundred minutes' worth was taken.
    expect(await admin.pttl(keysOf(rate.tag, rate.scopes, '')[1]!)).toBeGreaterThan(98 * 60_000);
  });

  it('are kept in one slot of a cluster, so that a server of one takes them', {
    timeout: 20_000,
  }, async () => {
    const home = mkdtempSync(join(tmpdir(), 'cluster-'));
    closing.push(() => rmSync(home, { recursive: true }));
    const node = await another('--cluster-enabled', 'yes', '--dir', home);
    const admin = new Redis(node.url);
    closing.push(() => admin.disconnect());
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await expect
      .poll(async () => String(await admin.call('CLUSTER', 'INFO')), { timeout: 10_000 })
      .toContain('cluster_state:ok');
    const one = await store(node.url);
    for (const tag of ['team:a b', 'key:{x}', 'key:}{', 'team:ä']) {
      const of: Party = {
        tag: encodeURIComponent(tag),
        scopes: ['key:{x}', 'team:}'].map((name) => ({ name, bounds: { ...NONE, requests: 1 } })),
      };
      expect(await admits(one, of)).toBe(true);
      expect(await admits(one, of)).toBe(false);
      const slots = keysOf(of.tag, of.scopes, 'id').map((name) => admin.call('CLUSTER', 'KEYSLOT', name));
      expect(new Set(await Promise.all(slots)).size).toBe(1);
    }
  });

  it('let nothing through and break nothing with numbers that nobody meant', async () => {
    const one = await store(redis.url);
    const rate = party({ tokens: 1000, day: 1e9 });
    expect(await one.reserve(rate, taking({ tokens: 1e15, money: 1e15 }))).toMatchObject({ admitted: false });
    const huge = taking({ tokens: 1, money: 1 });
    await one.reserve(rate, huge);
    one.settle(rate, { ...huge, tokens: 1e8, money: 1e8 });
    await sleep(50);
    const refused = await one.reserve(rate, taking({ tokens: 1 }));
    expect(refused).toMatchObject({ admitted: false, limit: 'tokens' });
  });
});
