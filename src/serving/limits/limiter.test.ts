import { describe, expect, it } from 'vitest';
import { EmbeddedStore } from './embedded-store.ts';
import type { Bounds } from './ledger.ts';
import { AnswerLengths } from './lengths.ts';
import { type Asked, Limiter } from './limiter.ts';
import { metered } from './metered.ts';
import { amountOf } from './price.ts';

const NONE: Bounds = { requests: null, tokens: null, concurrent: null, day: null, month: null };
/** Dollars for a million tokens, so that a token of an answer is 10 millionths. */
const PRICE = { input: 2, cached_input: 1, output: 10 };

function limiter(bounds: Partial<Bounds>, now = () => Date.UTC(2026, 0, 1, 12)) {
  return new Limiter({
    store: new EmbeddedStore({ dir: null, clock: { epoch: now, monotonic: now }, log: () => {} }),
    standIn: null,
    keys: [{ name: 'a', team: null, bounds: { ...NONE, ...bounds } }],
    teams: new Map(),
    prices: new Map([['one', PRICE]]),
    clusters: 1,
    replicas: 1,
    lifeMs: 60_000,
  });
}

let serial = 0;
const asked = (more: Partial<Asked> = {}): Asked => ({
  id: String(serial++),
  expert: 'one',
  cluster: 0,
  promptTokens: 100,
  answerLimit: 100,
  choices: 1,
  ...more,
});

describe('a budget', () => {
  it('counts what was taken, not what was reserved, and cached input at its own price', async () => {
    // One request is expected to take 200 + 1,000 millionths.
    const budget = limiter({ day: 1300 });
    const first = await budget.admit('a', asked());
    await expect(budget.admit('a', asked())).rejects.toMatchObject({ code: 'insufficient_quota' });
    first.ended({ inputTokens: 100, cachedTokens: 100, outputTokens: 0 });
    const second = await budget.admit('a', asked());
    second.ended({ inputTokens: 100, outputTokens: 10 });
    // 100 and 300 are spent: 900 are left.
    await expect(budget.admit('a', asked())).rejects.toMatchObject({ code: 'insufficient_quota' });
    expect(await budget.admit('a', asked({ answerLimit: 70 }))).toBeDefined();
  });

  it.each([
    { inputTokens: Number.NaN, outputTokens: 1 },
    { inputTokens: 1, outputTokens: -1e6 },
    { inputTokens: 1, outputTokens: 1e300 },
    { inputTokens: 1, outputTokens: 1, cachedTokens: Number.NaN },
    { inputTokens: 1.5, outputTokens: Number.POSITIVE_INFINITY },
  ])('is charged what was expected where an expert reports %j', async (usage) => {
    const budget = limiter({ day: 2400 });
    (await budget.admit('a', asked())).ended(usage);
    expect(await budget.admit('a', asked())).toBeDefined();
    await expect(budget.admit('a', asked({ answerLimit: 1 }))).rejects.toMatchObject({
      code: 'insufficient_quota',
    });
  });

  it('begins anew with the next day, and says when', async () => {
    let now = Date.UTC(2026, 0, 1, 23);
    const budget = limiter({ day: 1200 }, () => now);
    (await budget.admit('a', asked())).ended({ inputTokens: 100, outputTokens: 100 });
    await expect(budget.admit('a', asked())).rejects.toMatchObject({ retryAfter: 3600 });
    now += 3_600_000;
    expect(await budget.admit('a', asked())).toBeDefined();
  });

  it.each([
    // An hour is skipped or comes twice there in these nights; UTC's month ends when it ends.
    ['Europe/Berlin', Date.UTC(2026, 2, 31, 22), 2],
    ['America/New_York', Date.UTC(2026, 10, 30, 23), 1],
    ['Australia/Lord_Howe', Date.UTC(2026, 3, 30, 20), 4],
  ])('of a month begins anew with the next of UTC, also in %s', async (zone, begin, hours) => {
    const before = process.env.TZ;
    process.env.TZ = zone;
    try {
      let now = begin;
      const budget = limiter({ month: 1200 }, () => now);
      (await budget.admit('a', asked())).ended({ inputTokens: 100, outputTokens: 100 });
      await expect(budget.admit('a', asked())).rejects.toMatchObject({ retryAfter: hours * 3600 });
      now += hours * 3_600_000 - 1;
      await expect(budget.admit('a', asked())).rejects.toMatchObject({ retryAfter: 1 });
      now += 1;
      expect(await budget.admit('a', asked())).toBeDefined();
    } finally {
      if (before === undefined) delete process.env.TZ;
      else process.env.TZ = before;
    }
  });

  it('is charged for what was passed on where a client leaves, and once', async () => {
    const budget = limiter({ day: 10_000 });
    const hold = await budget.admit('a', asked());
    const sink = metered(
      { served() {}, waiting() {}, head() {}, data: () => true, end() {}, fail() {} },
      hold,
      2,
    );
    const stream = Buffer.from('data: 1\n\ndata: 2\r\n\r\ndata: 3\n\n');
    for (const byte of stream) sink.data(Buffer.of(byte));
    hold.abandoned();
    hold.abandoned();
    // 200 for the prompt and 3 × 10.
    const rest = 10_000 - 230;
    await expect(
      budget.admit('a', asked({ promptTokens: rest / 2 + 1, answerLimit: 0 })),
    ).rejects.toMatchObject({ code: 'insufficient_quota' });
    expect(await budget.admit('a', asked({ promptTokens: rest / 2, answerLimit: 0 }))).toBeDefined();
  });

  it('holds more while an answer is longer than expected, and lets it come to its end', async () => {
    const budget = limiter({ day: 1300 });
    const hold = await budget.admit('a', asked({ answerLimit: 10 }));
    hold.produced(500);
    await expect(budget.admit('a', asked({ answerLimit: 1, promptTokens: 1 }))).rejects.toMatchObject({
      code: 'insufficient_quota',
    });
    hold.ended('unknown');
    await expect(budget.admit('a', asked({ answerLimit: 1, promptTokens: 1 }))).rejects.toMatchObject({
      code: 'insufficient_quota',
    });
  });

  it('is charged nothing for what failed before a byte', async () => {
    const budget = limiter({ day: 1200 });
    (await budget.admit('a', asked())).brokenOff();
    expect(await budget.admit('a', asked())).toBeDefined();
  });
});

it('prices what an expert reports of its cache', () => {
  expect(amountOf({ inputTokens: 100, cachedTokens: 40, outputTokens: 5 }, PRICE)).toEqual({
    tokens: 105,
    money: 210,
  });
});

it('prices no more cached tokens than there are', () => {
  expect(amountOf({ inputTokens: 10, cachedTokens: 1e6, outputTokens: 0 }, PRICE).money).toBe(10);
});

it('learns the length that nine of ten answers of a cluster keep below', () => {
  const lengths = new AnswerLengths(2);
  let seed = 7;
  const uniform = (): number => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  for (let index = 0; index < 20_000; index += 1) lengths.ended(0, uniform() * 100);
  expect(lengths.expected(0)).toBeGreaterThan(75);
  expect(lengths.expected(0)).toBeLessThan(100);
  expect(lengths.expected(1)).toBe(512);
});
