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
