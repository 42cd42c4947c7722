import { describe, expect, it } from 'vitest';
import { type Arrival, Intake } from './intake.ts';

const SERVE_MS = 1;

/** A process that takes a millisecond to serve a request, and its event loop. */
function run() {
  let now = 0;
  let due: (() => void)[] = [];
  const served: Asked[] = [];
  const refused: { asked: Asked; retryAfter: number }[] = [];
  interface Asked extends Arrival {
    gone: boolean;
    readonly at: number;
    servedAt?: number;
  }
  const intake = new Intake<Asked>(
    {
      serve: (asked) => {
        now += SERVE_MS;
        asked.servedAt = now;
        served.push(asked);
      },
      refuse: (asked, retryAfter) => refused.push({ asked, retryAfter }),
    },
    () => now,
    (then) => due.push(then),
  );
  const come = (count: number, bytes = 1): Asked[] =>
    Array.from({ length: count }, () => {
      const asked: Asked = { bytes, gone: false, at: now };
      intake.came(asked);
      return asked;
    });
  /** One turn of the event loop, which has so much else to do first. */
  const turn = (othersMs = 0.01): void => {
    now += othersMs;
    const these = due;
    due = [];
    for (const then of these) then();
  };
  /** Turns for so long, with so many requests a millisecond; others take so much of each turn. */
  const load = (perMs: number, forMs: number, othersMs = 0.01): void => {
    let came = 0;
    const from = now;
    while (now - from < forMs) {
      const owed = Math.floor((now - from) * perMs);
      come(owed - came);
      came = owed;
      turn(othersMs);
    }
  };
  /** The same, each over a connection of its own: a turn accepts one, and its request is there in the next. @returns how many wait to be accepted at the end */
  const connect = (perMs: number, forMs: number, acceptMs: number): number => {
    let accepted = 0;
    let spoken = 0;
    const from = now;
    while (now - from < forMs) {
      come(accepted - spoken);
      spoken = accepted;
      const waiting = Math.floor((now - from) * perMs) - accepted;
      if (waiting > 0) {
        accepted += 1;
        intake.knock();
        now += acceptMs;
      }
      turn();
    }
    return Math.floor((now - from) * perMs) - accepted;
  };
  const settle = (): void => {
    while (due.length > 0) turn();
  };
  return { intake, served, refused, come, turn, load, connect, settle, now: () => now };
}

describe('Intake', () => {
  it('serves a request at once where none came before it in the turn, and the others in the turns that follow', () => {
    const { come, served, turn } = run();
    come(3);
    expect(served).toHaveLength(1);
    turn();
    turn();
    expect(served).toHaveLength(2);
    turn();
    expect(served).toHaveLength(3);
  });

  it('serves them in the order in which they came', () => {
    const { come, served, settle } = run();
    const asked = come(500);
    settle();
    expect(served).toEqual(asked);
  });

  it('leaves out those whose client has left', () => {
    const { come, served, settle } = run();
    const asked = come(10);
    asked[4]!.gone = true;
    settle();
    expect(served).toEqual(asked.filter(({ gone }) => !gone));
  });

  it('serves as long in a turn as all else took', () => {
    const { come, served, turn } = run();
    come(4_000);
    for (let i = 0; i < 150; i += 1) turn(10);
    const before = served.length;
    turn(10);
    expect(served.length - before).toBeGreaterThanOrEqual(8);
    expect(served.length - before).toBeLessThanOrEqual(12);
  });

  it('serves all of a wave', () => {
    const { come, refused, served, settle } = run();
    come(5_000);
    settle();
    expect(refused).toEqual([]);
    expect(served).toHaveLength(5_000);
  });

  it('refuses none at nine tenths of what it can serve', () => {
    const { load, refused } = run();
    load(0.9, 60_000);
    expect(refused).toEqual([]);
  });

  it('serves what it can at three times the load, keeps nobody waiting for long, and says when to come again', () => {
    const { load, refused, served, now } = run();
    load(3, 10_000);
    const from = now();
    load(3, 10_000);
    const late = served.filter(({ at }) => at >= from);
    const meanwhile = served.filter(({ servedAt }) => servedAt! >= from);
    expect(meanwhile.length * SERVE_MS).toBeGreaterThan(0.9 * (now() - from));
    expect(Math.max(...late.map(({ at, servedAt }) => servedAt! - at))).toBeLessThan(1_500);
    for (const { retryAfter } of refused) expect(retryAfter).toBeGreaterThanOrEqual(1);
    expect(refused.length + served.length).toBeGreaterThan(2.9 * (now() - from) * 2);
  });

  it('accepts connections as they come, at three times what it can serve', () => {
    const { connect, refused, served, now } = run();
    expect(connect(3, 10_000, 0.1)).toBeLessThan(100);
    const [before, from] = [served.length, now()];
    expect(connect(3, 10_000, 0.1)).toBeLessThan(100);
    expect((served.length - before) * SERVE_MS).toBeGreaterThan(0.4 * (now() - from));
    expect(refused.length).toBeGreaterThan(0);
  });

  it('serves what comes by new connections at nine tenths of what it can serve', () => {
    const { connect, refused, served } = run();
    connect(0.8, 20_000, 0.1);
    expect(refused).toEqual([]);
    expect(served.length).toBeGreaterThan(0.8 * 20_000 - 100);
  });

  it('serves the next wave after an overload as the first', () => {
    const { come, load, refused, settle } = run();
    load(3, 20_000);
    settle();
    const before = refused.length;
    come(5_000);
    settle();
    expect(refused.length).toBe(before);
  });

  it('holds no more than its share of memory', () => {
    const { come, refused, settle } = run();
    const MB = 1024 * 1024;
    come(100, MB);
    expect(refused.length).toBe(100 - 1 - 64);
    settle();
    come(64, MB);
    expect(refused.length).toBe(100 - 1 - 64);
  });

  it('says of a wait of seconds how many', () => {
    const { come, intake, refused, settle } = run();
    come(3_000);
    settle();
    come(12_000);
    expect(intake.waitMs).toBeGreaterThan(5_000);
    const longest = Math.max(...refused.map(({ retryAfter }) => retryAfter));
    expect(longest).toBeGreaterThanOrEqual(5);
    expect(longest).toBeLessThanOrEqual(12);
  });
});
