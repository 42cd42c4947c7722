import { describe, expect, it } from 'vitest';
import { type ExpertNow, type Frame, type PackedTally, TALLY, type Tally } from '../../serving/board/wire.ts';
import { Screen } from './screen.ts';

const expert: ExpertNow = {
  inFlight: 0,
  queued: 0,
  available: true,
  drained: false,
  replicas: 1,
  broken: 0,
  expectedMs: 0,
  cache: null,
};
const frame = (experts: Frame['experts']): Frame => ({
  build: '',
  now: 1_000_000,
  seconds: [],
  dots: [],
  events: [],
  experts,
  layout: 'one',
});

describe('the screen of top', () => {
  it('tells a drained expert from one that is down, and both from one whose breaker is open', () => {
    const text = new Screen().draw(
      frame({
        fine: expert,
        drained: { ...expert, available: false, drained: true },
        down: { ...expert, available: false },
        broken: { ...expert, broken: 1 },
      }),
    );
    const states = text
      .split('\n')
      .slice(3)
      .map((line) => line.trim().split(/ {2,}/).slice(0, 2));
    expect(states).toEqual([
      ['fine', 'ok'],
      ['drained', 'drained'],
      ['down', 'DOWN'],
      ['broken', 'breaker open'],
    ]);
  });

  it('fits the terminal: with its summary, fewer columns where it is narrow, and of many experts those in trouble', () => {
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`expert-${at}`, expert]));
    const experts = {
      ...many,
      'expert-50': { ...expert, available: false },
      [`expert-${'long'.repeat(20)}`]: { ...expert, inFlight: 3 },
    };
    for (const [columns, rows] of [
      [40, 20],
      [80, 24],
      [200, 30],
    ] as const) {
      const lines = new Screen().draw(frame(experts), { columns, rows }).split('\n');
      expect(lines.length).toBeLessThanOrEqual(rows);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
      expect(lines[0]).toContain('3 in flight');
      const table = lines.slice(lines.indexOf('') + 1);
      expect(table[0]).toMatch(/^EXPERT +STATE/);
      expect(table.some((line) => /^expert-50 +DOWN/.test(line))).toBe(true);
      expect(table.some((line) => line.startsWith('expert-longlong'))).toBe(true);
      expect(table.at(-1)).toBe(`and ${61 - (table.length - 2)} more`);
    }
    expect(new Screen().draw(frame(many)).split('\n')).toHaveLength(63);
  });

  it('has no share of cached prompts where no answer tells of a cache', () => {
    const tally = (told: Partial<Tally>): PackedTally => TALLY.map((name) => told[name] ?? 0);
    const second = {
      at: 999,
      experts: {
        silent: tally({ ended: 1, input: 90 }),
        telling: tally({ ended: 2, input: 90, cacheTold: 40, cached: 10 }),
      },
      load: {},
      clusters: {},
      outside: 0,
      refused: 0,
      first: {},
      perToken: {},
    };
    const text = new Screen().draw({ ...frame({ silent: expert, telling: expert }), seconds: [second] });
    const cached = text.split('\n').map((line) => line.trim().split(/ {2,}/).at(-2));
    expect(cached.slice(-2)).toEqual(['–', '25 %']);
  });
});
