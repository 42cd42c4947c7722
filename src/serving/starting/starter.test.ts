import { beforeEach, describe, expect, it } from 'vitest';
import type { Keeping, Signal } from '../fleet/keeping.ts';
import type { StartSpec } from './kept-expert.ts';
import { Starter } from './starter.ts';

const idle: Signal = { inFlight: 0, queued: 0, arrivals: 0, ready: false, keeping: 'open' };
const spec: StartSpec = {
  id: 'code',
  start: ['up'],
  stop: ['down'],
  idleMs: 60_000,
  limitMs: 300_000,
};

let now: number;
let ran: {
  readonly argv: readonly string[];
  finish(problem: string | null): Promise<void>;
  asked: boolean;
}[];
let logged: string[];
let told: Keeping[];
let starter: Starter;

function starting(one: StartSpec = spec): void {
  now = 1_000;
  ran = [];
  logged = [];
  told = [];
  starter = new Starter({
    now: () => now,
    log: (line) => logged.push(line),
    tell: (_, keeping) => told.push(keeping),
    run: (argv) => {
      let finish: (problem: string | null) => void = () => {};
      const ended = new Promise<string | null>((resolve) => {
        finish = resolve;
      });
      const one = {
        argv,
        asked: false,
        finish: async (problem: string | null) => {
          finish(problem);
          for (let turn = 0; turn < 5; turn++) await null;
        },
      };
      ran.push(one);
      return {
        ended,
        end: () => {
          one.asked = true;
        },
      };
    },
  });
  starter.keep([one]);
}

/** What one process sees, a while later. */
function see(signal: Partial<Signal>, afterMs = 100, from = 1): void {
  now += afterMs;
  starter.heard(from, { code: { ...idle, ...signal } });
  starter.look();
}
const commands = (): readonly string[] => ran.map(({ argv }) => argv.join(' '));

beforeEach(() => starting());

async function up(): Promise<void> {
  see({ queued: 1, arrivals: 1 });
  await ran[0]!.finish(null);
  see({ queued: 1, arrivals: 1, ready: true });
}

describe('an expert that is started when it is needed', () => {
  it('is started once, by a request that waits or a prompt that another answered', () => {
    see({});
    expect(commands()).toEqual([]);
    see({ arrivals: 1 });
    expect(commands()).toEqual(['up']);
    see({ arrivals: 2, queued: 3 });
    see({ arrivals: 2, queued: 3 }, 100, 2);
    expect(commands()).toEqual(['up']);
  });

  it('is left alone while it runs already, and while nobody has looked', () => {
    starter.look();
    see({ ready: true, arrivals: 1, inFlight: 1 });
    expect(commands()).toEqual([]);
  });

  it('is stopped once every process knows that it gets nothing, and nothing is with it', async () => {
    await up();
    see({ ready: true, arrivals: 1 }, 59_000);
    expect(told).toEqual([]);
    see({ ready: true, arrivals: 1 }, 2_000);
    expect(told).toEqual([{ state: 'parked' }]);
    see({ arrivals: 1, keeping: 'parked' });
    expect(commands()).toEqual(['up', 'down']);
    await ran[1]!.finish(null);
    see({ arrivals: 1, keeping: 'parked' });
    expect(told.at(-1)).toEqual({ state: 'open' });
    see({ arrivals: 2, queued: 1 });
    expect(commands()).toEqual(['up', 'down', 'up']);
  });

  it('is not stopped while one process has a request, or has not heard', async () => {
    await up();
    see({ ready: true, arrivals: 1 }, 61_000);
    see({ ready: true, arrivals: 0, keeping: 'open' }, 0, 2);
    see({ arrivals: 1, keeping: 'parked' }, 0);
    expect(commands()).toEqual(['up']);
    see({ keeping: 'parked', inFlight: 1 }, 0, 2);
    expect(commands()).toEqual(['up']);
    expect(told.at(-1)).toEqual({ state: 'open' });
  });

  it('is not started while it is being stopped', async () => {
    await up();
    see({ ready: true, arrivals: 1 }, 61_000);
    see({ arrivals: 1, keeping: 'parked' });
    see({ arrivals: 5, queued: 4, keeping: 'parked' }, 30_000);
    expect(commands()).toEqual(['up', 'down']);
    await ran[1]!.finish(null);
    see({ arrivals: 5, queued: 4, keeping: 'parked' });
    expect(commands()).toEqual(['up', 'down', 'up']);
  });

  it('that cannot be started is told so, and tried again after ever longer pauses', async () => {
    const pauses: number[] = [];
    for (let n = 0; n < 9; n++) {
      see({ arrivals: 2 * n + 1 });
      expect(ran).toHaveLength(n + 1);
      await ran[n]!.finish('it ended with code 1');
      see({ arrivals: 2 * n + 1 });
      const keeping = told.at(-1)!;
      expect(keeping).toMatchObject({ state: 'troubled', problem: 'it ended with code 1' });
      const { retryMs } = keeping as Extract<Keeping, { state: 'troubled' }>;
      pauses.push(retryMs / 1000);
      see({ arrivals: 2 * n + 2, keeping: 'troubled' }, retryMs - 1_000);
      expect(ran).toHaveLength(n + 1);
      now += 1_000;
    }
    expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300]);
    expect(logged).toContain(
      "Expert 'code' could not be started: it ended with code 1. The next try is not before 5 s.",
    );
  });

  it('that does not answer in time is waited for anew rather than started beside itself', () => {
    see({ arrivals: 1, queued: 1 });
    see({ arrivals: 1 }, 300_000);
    expect(told.at(-1)).toMatchObject({ state: 'troubled' });
    see({ arrivals: 2, keeping: 'troubled' }, 10_000);
    expect(commands()).toEqual(['up']);
    expect(told.at(-1)).toEqual({ state: 'open' });
    see({ arrivals: 2, ready: true });
    expect(logged.at(-1)).toMatch(/runs/);
  });

  it('that could not be stopped serves on, and is tried again when it has been idle as long', async () => {
    await up();
    see({ ready: true, arrivals: 1 }, 61_000);
    see({ arrivals: 1, keeping: 'parked' });
    await ran[1]!.finish('it ended with code 2');
    see({ arrivals: 1, keeping: 'parked' });
    expect(told.at(-1)).toEqual({ state: 'open' });
    see({ arrivals: 1, ready: true }, 30_000);
    expect(commands()).toEqual(['up', 'down']);
    see({ arrivals: 1, ready: true }, 31_000);
    see({ arrivals: 1, keeping: 'parked' });
    expect(commands()).toEqual(['up', 'down', 'down']);
  });

  it('whose server dies is started again once it is needed', async () => {
    await up();
    see({ arrivals: 1 });
    see({ arrivals: 1 }, 6_000);
    expect(commands()).toEqual(['up']);
    see({ arrivals: 2, queued: 1 });
    expect(commands()).toEqual(['up', 'up']);
  });
});

describe('an engine that is asked', () => {
  it('is asked again where one of its servers lost the model while others have it, and given up at the end', async () => {
    let asked = 0;
    let ended = 0;
    const run = (finish: boolean) => () => {
      asked++;
      return { ended: finish ? Promise.resolve(null) : new Promise<null>(() => {}), end: () => void ended++ };
    };
    starting({
      ...spec,
      start: { says: 'loads', run: run(true) },
      stop: { says: 'unloads', run: run(true) },
    });
    see({ arrivals: 1 });
    for (let turn = 0; turn < 5; turn++) await null;
    see({ arrivals: 1, ready: true });
    expect(logged[0]).toBe("Expert 'code' is started: loads");
    see({ arrivals: 1, ready: true, unloaded: true });
    see({ arrivals: 1, ready: true, unloaded: true }, 4_000);
    expect(asked).toBe(1);
    see({ arrivals: 1, ready: true, unloaded: true }, 1_000);
    expect(asked).toBe(2);
    see({ arrivals: 1, ready: true, unloaded: false }, 100);
    see({ arrivals: 1, ready: true, unloaded: true }, 4_900);
    expect(asked).toBe(2);
    starting({
      ...spec,
      start: { says: 'loads', run: run(false) },
      stop: { says: 'unloads', run: run(true) },
    });
    see({ arrivals: 1 });
    await starter.close(10);
    expect(ended).toBe(1);
  });
});

describe('the end', () => {
  it('asks a server of ours to end, and leaves alone what a command has started', async () => {
    starting({ ...spec, stop: null });
    see({ arrivals: 1 });
    see({ arrivals: 1, ready: true });
    const closed = starter.close(5_000);
    expect(ran[0]!.asked).toBe(true);
    await ran[0]!.finish(null);
    await closed;
    see({ arrivals: 9, queued: 9 });
    expect(ran).toHaveLength(1);

    starting();
    see({ arrivals: 1 });
    const waiting = starter.close(5_000);
    expect(ran[0]!.asked).toBe(false);
    await ran[0]!.finish(null);
    await waiting;
    expect(logged.join()).not.toMatch(/left alone/);
  });

  it('is not held up by a command that does not end, which is never killed', async () => {
    see({ arrivals: 1 });
    await starter.close(20);
    expect(logged.at(-1)).toMatch(/left alone/);
    expect(ran[0]!.asked).toBe(false);
  });

  it('is that of an expert, too, which a reload has taken away', async () => {
    starting({ ...spec, stop: null });
    see({ arrivals: 1 });
    starter.keep([]);
    expect(ran[0]!.asked).toBe(true);
  });
});
