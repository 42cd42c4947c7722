/** What every policy of the table must keep to, and what each of them does. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chosenFirst } from '../decide.ts';
import { expectedWait } from '../expected-wait.ts';
import {
  type AnyPolicy,
  bindPolicy,
  type Candidate,
  type LoadSnapshot,
  type PolicyContext,
} from '../policy.ts';
import { POLICIES } from './index.ts';
import { nearest } from './nearest.ts';
import { powerOfTwo } from './power-of-two.ts';
import { random } from './random.ts';
import { roundRobin } from './round-robin.ts';
import { spill } from './spill.ts';

const IDLE: LoadSnapshot = {
  inFlight: 0,
  queued: 0,
  outstandingTokens: 0,
  tokensPerSecond: 100,
  capacity: 4,
  available: true,
};
const REQUEST = {
  promptTokens: 100,
  outputTokens: 100,
  prefixKey: null,
  priority: 0,
  deadline: Number.POSITIVE_INFINITY,
};

const candidate = (id: string, affinity: number, load: Partial<LoadSnapshot> = {}): Candidate => ({
  id,
  affinity,
  distance: 1 - affinity / 2,
  warmth: null,
  load: { ...IDLE, ...load },
});
const among = (candidates: readonly Candidate[], change: Partial<PolicyContext> = {}): PolicyContext => ({
  candidates,
  request: REQUEST,
  random: 0.3,
  sequence: 0,
  ...change,
});
/** A load under which the next request waits so many seconds. */
const waiting = (seconds: number): Partial<LoadSnapshot> => ({
  inFlight: 4,
  outstandingTokens: 4 * 100 * seconds,
});
const ids = (ranked: readonly Candidate[]) => ranked.map((one) => one.id);

const anyLoad: fc.Arbitrary<LoadSnapshot> = fc.record({
  inFlight: fc.nat(100),
  queued: fc.nat(100),
  outstandingTokens: fc.nat(100_000),
  tokensPerSecond: fc.oneof(fc.constant(0), fc.double({ min: 0.1, max: 1e5, noNaN: true })),
  capacity: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 100 })),
  available: fc.boolean(),
});
const unit = fc.double({ min: 0, max: 1, noNaN: true });
const anyCandidates = fc
  .array(fc.record({ affinity: unit, warmth: fc.option(unit), load: anyLoad }), { maxLength: 12 })
  .map((list) => list.map((one, index): Candidate => ({ id: `e${index}`, distance: null, ...one })));
const anyContext: fc.Arbitrary<PolicyContext> = fc.record({
  candidates: anyCandidates,
  request: fc.record({
    promptTokens: fc.nat(100_000),
    outputTokens: fc.nat(10_000),
    prefixKey: fc.option(fc.string()),
    priority: fc.integer({ min: -10, max: 10 }),
    deadline: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.double({ min: 0, max: 1e4, noNaN: true })),
  }),
  random: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  sequence: fc.nat(),
});

describe.each(POLICIES.map((policy) => ({ id: policy.id, policy })))('every policy: $id', ({ policy }) => {
  const { rank } = bindPolicy(policy);

  it('returns every candidate once, the available first, and mutates nothing', () => {
    fc.assert(
      fc.property(anyContext, (context) => {
        const before = structuredClone(context.candidates);
        Object.freeze(context.candidates);
        const ranked = rank(context);
        expect(context.candidates).toEqual(before);
        expect(ids(ranked).toSorted()).toEqual(ids(context.candidates).toSorted());
        const available = ranked.map((one) => one.load.available);
        expect(available).toEqual(available.toSorted((a, b) => Number(b) - Number(a)));
      }),
    );
  });

  it('finds the first of its ranking also without the others', () => {
    const some = anyContext.filter(({ candidates }) => candidates.length > 0);
    fc.assert(
      fc.property(some, (context) => {
        const byAffinity = context.candidates.toSorted((a, b) => b.affinity - a.affinity);
        expect(chosenFirst(bindPolicy(policy), context)).toBe(rank(context)[0]);
        expect(chosenFirst(bindPolicy(policy), { ...context, byAffinity })).toBe(rank(context)[0]);
      }),
    );
  });

  it('is a function of its arguments', () => {
    fc.assert(
      fc.property(anyContext, (context) => {
        expect(ids(rank(context))).toEqual(ids(rank(context)));
      }),
    );
  });

  it('takes a lone candidate, and none', () => {
    expect(ids(rank(among([candidate('a', 0.5)])))).toEqual(['a']);
    expect(rank(among([]))).toEqual([]);
  });

  it('has options that need no values, refuse unknown ones and say what they mean', () => {
    expect(policy.options.safeParse({}).success).toBe(true);
    expect(() => bindPolicy(policy, { no_such_option: 1 })).toThrow('no_such_option');
    for (const option of Object.values(policy.options.shape))
      expect((option as { description?: string }).description).toBeTruthy();
  });
});

/** docs/policies.md, written from the table; `npx vitest run src/deciding/routing/policies -u` brings it up to date. */
function page(): string {
  const sections = POLICIES.map(({ id, summary, options }) => {
    const presets = options.parse({}) as Readonly<Record<string, unknown>>;
    const shape = options.shape as Readonly<Record<string, { readonly description?: string }>>;
    const rows = Object.entries(shape).map(
      ([name, { description }]) => `| \`${name}\` | ${JSON.stringify(presets[name])} | ${description} |\n`,
    );
    const table = rows.length > 0 ? `\n| option | default | |\n|---|---|---|\n${rows.join('')}` : '';
    return `## \`${id}\`\n\nA request goes to ${summary}.\n${table}`;
  });
  return [
    '# Policies\n',
    'Which expert answers when several could: `policy: nearest`, or with options `policy: { name: spill, … }`. A policy',
    'orders the experts by how well each suits the prompt, by its load, and by how much of the conversation its cache holds.',
    `\n${sections.join('\n')}`,
  ].join('\n');
}

it('docs/policies.md says what the table says', async () => {
  await expect(page()).toMatchFileSnapshot('../../../../docs/policies.md');
});

describe('expected wait', () => {
  it('is nothing while a slot is free, and the backlog over the rate of leaving after that', () => {
    expect(expectedWait({ ...IDLE, inFlight: 3, outstandingTokens: 300 })).toBe(0);
    // 4 running and 2 queued at 50 tokens each, 4 slots: 3 must leave first, at 100 / 50 = 2 a second.
    expect(expectedWait({ ...IDLE, inFlight: 4, queued: 2, outstandingTokens: 300 })).toBe(1.5);
    expect(expectedWait({ ...IDLE, inFlight: 9, outstandingTokens: 900, tokensPerSecond: 0 })).toBe(0);
  });
});

describe('spill', () => {
  it('stays while the wait is worth it, and goes to the best trade when it is not', () => {
    const { rank } = bindPolicy(spill, { seconds_per_affinity: 2 });
    const at = (seconds: number) =>
      ids(
        rank(among([candidate('home', 1, waiting(seconds)), candidate('next', 0.5), candidate('far', 0.1)])),
      );
    expect(at(0.9)).toEqual(['home', 'next', 'far']); // 1 − 0.9 / 2 = 0.55
    expect(at(1.1)[0]).toBe('next'); // 1 − 1.1 / 2 = 0.45
    expect(at(10)).toEqual(['next', 'far', 'home']);
  });

  it('does not leave a long conversation that is cached for a tenth of a second of waiting', () => {
    const { rank } = bindPolicy(spill);
    const home = { ...candidate('home', 1, waiting(0.1)), warmth: 1 };
    const other = { ...candidate('other', 0.95), warmth: 0 };
    const request = (promptTokens: number) => ({ request: { ...REQUEST, promptTokens } });
    expect(ids(rank(among([home, other], request(60_000))))).toEqual(['home', 'other']);
    expect(ids(rank(among([home, other], request(10))))).toEqual(['other', 'home']);
    // 60,000 tokens that the other reads at 10⁷ a second cost nothing to speak of.
    const fast = { ...other, load: { ...other.load, prefillTokensPerSecond: 1e7 } };
    expect(ids(rank(among([home, fast], request(60_000))))).toEqual(['other', 'home']);
  });

  it('equals nearest when no expert has a queue, and none has read more of the conversation', () => {
    fc.assert(
      fc.property(anyContext, (context) => {
        const idle = context.candidates.map((one) => ({ ...one, load: IDLE, warmth: null }));
        const ranked = [spill, nearest].map((policy: AnyPolicy) => ids(bindPolicy(policy).rank(among(idle))));
        expect(ranked[0]).toEqual(ranked[1]);
      }),
    );
  });
});

describe('the others', () => {
  it('round-robin takes turns', () => {
    const three = [candidate('a', 0), candidate('b', 1), candidate('c', 0.5)];
    const firsts = [0, 1, 2, 3].map(
      (sequence) => bindPolicy(roundRobin).rank(among(three, { sequence }))[0]!.id,
    );
    expect(firsts).toEqual(['a', 'b', 'c', 'a']);
  });

  it('random and power-of-two reach everyone, and power-of-two avoids the fullest', () => {
    const many = [
      candidate('a', 0),
      candidate('b', 0),
      candidate('full', 0, { inFlight: 4 }),
      candidate('c', 0),
    ];
    const firsts = (policy: AnyPolicy) =>
      new Set(
        Array.from(
          { length: 200 },
          (_, i) => bindPolicy(policy).rank(among(many, { random: i / 200 }))[0]!.id,
        ),
      );
    expect(firsts(random)).toEqual(new Set(['a', 'b', 'full', 'c']));
    expect(firsts(powerOfTwo)).toEqual(new Set(['a', 'b', 'c']));
  });
});
