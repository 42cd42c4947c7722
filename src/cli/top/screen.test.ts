import { describe, expect, it } from 'vitest';
import type { ExpertNow, Frame } from '../../serving/board/wire.ts';
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
  model: '',
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
      .map((line) => line.trim().split(/ +/).slice(0, 2));
    expect(states).toEqual([
      ['fine', 'ok'],
      ['drained', 'drained'],
      ['down', 'DOWN'],
      ['broken', 'breaker'],
    ]);
  });
});
