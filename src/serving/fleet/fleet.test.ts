import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RouterError } from '../../core/errors.ts';
import { expectedWait } from '../../deciding/routing/expected-wait.ts';
import type { Expert } from '../experts/expert.ts';
import { Breaker } from './breaker.ts';
import { FairQueue } from './fair-queue.ts';
import { type Admission, ExpertGroup } from './group.ts';
import type { LeaseOutcome } from './lease.ts';
import { type Lease, Replica } from './replica.ts';
import { ServiceRate } from './service-rate.ts';

const SILENT: Expert = {
  id: 'e',
  kind: 'test',
  speaks: [],
  generate: () => ({ resume: () => {}, cancel: () => {} }),
  health: async () => ({ state: 'ready' }),
  close: async () => {},
};

let now = 0;
beforeEach(() => {
  now = 1_000;
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const replica = (name = 'r', limit = 2, weight = 1) =>
  new Replica(name, SILENT, { weight, limit, now: () => now });
const admission = (more: Partial<Admission> = {}): Admission => ({
  tokens: 10,
  affinityKey: null,
  priority: 0,
  tenant: '',
  tried: new Set(),
  shape: () => '',
  patient: false,
  ...more,
});
const ok: LeaseOutcome = { kind: 'ok', outputTokens: 1 };

describe('Breaker', () => {
  it('opens after five failures in a row, lets one through later, and closes when that one succeeds', () => {
    const breaker = new Breaker();
    for (let i = 0; i < 4; i++) breaker.failed(now);
    expect(breaker.allows(now)).toBe(true);
    breaker.failed(now);
    expect(breaker.allows(now + 999)).toBe(false);
    expect(breaker.allows(now + 1000)).toBe(true);
    breaker.admitted(now + 1000);
    expect(breaker.allows(now + 1000)).toBe(false);
    breaker.succeeded();
    expect(breaker.state(now + 1000)).toBe('closed');
  });

  it('closes on trial with the first token of the one that finds out, whose end may be far off', () => {
    const breaker = new Breaker();
    for (let i = 0; i < 5; i++) breaker.failed(now);
    breaker.admitted(now + 1000);
    breaker.answering();
    expect(breaker.allows(now + 1000)).toBe(true);
    breaker.failed(now + 1000);
    expect(breaker.allows(now + 1000)).toBe(false);
  });

  it('is tried as soon as somebody is there again, if it opened because nobody was', () => {
    const [away, failing] = [new Breaker(), new Breaker()];
    for (let i = 0; i < 5; i++) {
      away.failed(now, true);
      failing.failed(now);
    }
    for (const breaker of [away, failing]) breaker.returned();
    expect([away.allows(now), failing.allows(now)]).toEqual([true, false]);
    away.backOff(now, 5_000); // it asked for rest: that is kept
    away.returned();
    expect(away.allows(now)).toBe(false);
  });

  it('waits twice as long after a failed probe, up to ten seconds', () => {
    const breaker = new Breaker();
    for (let i = 0; i < 5; i++) breaker.failed(now);
    let cooldown = 1_000;
    for (let round = 0; round < 8; round++) {
      now += cooldown;
      expect(breaker.allows(now)).toBe(true);
      breaker.admitted(now);
      breaker.failed(now);
      cooldown = Math.min(cooldown * 2, 10_000);
      expect(breaker.allows(now + cooldown - 1)).toBe(false);
    }
  });

  it('counts only failures in a row, and rests as long as the server asks', () => {
    const breaker = new Breaker();
    for (let i = 0; i < 20; i++) i % 3 === 2 ? breaker.succeeded() : breaker.failed(now);
    expect(breaker.allows(now)).toBe(true);
    breaker.backOff(now, 7_000);
    expect(breaker.allows(now + 6_999)).toBe(false);
    expect(breaker.allows(now + 7_000)).toBe(true);
  });

  it('a reader who leaves during the probe leaves the question open', () => {
    const breaker = new Breaker();
    breaker.backOff(now, 0);
    breaker.admitted(now);
    breaker.undecided();
    expect(breaker.allows(now)).toBe(true);
  });
});

describe('what counts against a replica', () => {
  const fault: LeaseOutcome = { kind: 'faulted' };
  const times = (count: number, act: () => void) => Array.from({ length: count }, act);

  it('failures of its own, and not those that turn out to be the request’s', () => {
    const [failing, poisoned] = [replica(), replica()];
    times(5, () => failing.lease(1).end(fault));
    times(20, () => {
      const lease = poisoned.lease(1);
      lease.end(fault);
      lease.absolve();
      lease.absolve();
    });
    expect([failing.available, poisoned.available]).toEqual([false, true]);
  });

  it('failures at once that turn out to be the requests’ open it and close it again', () => {
    const one = replica();
    const leases = times(7, () => one.lease(1)) as unknown as Lease[];
    for (const lease of leases) lease.end(fault);
    expect(one.available).toBe(false);
    for (const lease of leases) lease.absolve();
    expect(one.available).toBe(true);
    times(5, () => one.lease(1).end(fault));
    expect(one.available).toBe(false);
  });

  it('no failure while others are answered, and its own answer is none of others', () => {
    const [busy, cut] = [replica('r', 9), replica()];
    busy.lease(1).answering();
    times(9, () => busy.lease(1).end(fault));
    times(5, () => {
      const lease = cut.lease(1);
      lease.answering();
      lease.heard();
      lease.end(fault);
    });
    expect([busy.available, cut.available]).toEqual([true, false]);
  });

  it('at pictures, only for pictures', () => {
    const group = new ExpertGroup('e', [replica('r', 9)], { queueSize: 9, queueTimeout: 1000 });
    const ask = (shape: string) => {
      let result: Lease | RouterError | null = null;
      group.admit(admission({ shape: () => shape }), (got) => {
        result = got;
      });
      return result as unknown as Lease | RouterError;
    };
    times(5, () => (ask('image') as Lease).end(fault));
    expect(ask('image')).toMatchObject({
      code: 'expert_not_ready',
      message: expect.stringContaining('has failed at requests with image again and again'),
    });
    for (const shape of ['', 'tools']) (ask(shape) as Lease).end(ok);
    now += 1_000;
    (ask('image') as Lease).end(ok);
    expect(ask('image')).not.toBeInstanceOf(RouterError);
  });

  it('a late first token, unless the prompt is longer than any it had in time', () => {
    const one = replica();
    times(9, () => one.lease(5_000).end({ kind: 'late' }));
    expect(one.available).toBe(true);
    const long = one.lease(5_000);
    long.answering();
    long.end(ok);
    times(5, () => one.lease(5_000).end({ kind: 'late' }));
    expect(one.available).toBe(false);
  });

  it('silence for a deadline while several wait: all are told at once', () => {
    const one = replica('r', 9);
    let told = 0;
    const [first, ...others] = times(4, () => one.lease(10)) as unknown as Lease[];
    for (const lease of others) lease.wait({ stream: true, onHang: () => (told += 1) });
    first!.end({ kind: 'late' });
    expect([one.available, told]).toEqual([false, 3]);
  });

  it('a limit told to one tenant holds for that one; told to a second, for all; and the last resort waits for its end', () => {
    const one = replica('r', 9);
    const group = new ExpertGroup('e', [one], { queueSize: 9, queueTimeout: 5_000 });
    const limited = (tenant: string): LeaseOutcome => ({ kind: 'limited', forMs: 3_000, tenant });
    const ask = (tenant: string, patient = false) => {
      const results: (Lease | RouterError)[] = [];
      group.admit(admission({ tenant, patient }), (got) => results.push(got));
      return results;
    };
    (ask('a')[0] as Lease).end(limited('a'));
    expect(ask('a')).toEqual([expect.objectContaining({ code: 'overloaded', retryAfter: 3 })]);
    (ask('b')[0] as Lease).end(limited('b'));
    expect(ask('c')).toEqual([expect.objectContaining({ code: 'overloaded', retryAfter: 3 })]);
    const waiting = ask('c', true);
    expect(waiting).toEqual([]);
    now += 3_001;
    vi.advanceTimersByTime(3_001);
    expect(waiting).toEqual([expect.objectContaining({ replica: one })]);
  });

  it('is waited out, although the timer fires before its end', () => {
    const one = replica('r', 9);
    const group = new ExpertGroup('e', [one], { queueSize: 9, queueTimeout: 5_000 });
    group.admit(admission(), (got) => (got as Lease).end({ kind: 'limited', forMs: 1_000, tenant: '' }));
    const results: (Lease | RouterError)[] = [];
    group.admit(admission({ patient: true }), (got) => results.push(got));
    now += 998;
    vi.advanceTimersByTime(1_001);
    expect(results).toEqual([]);
    now += 3;
    vi.advanceTimersByTime(3);
    expect(results).toEqual([expect.objectContaining({ replica: one })]);
  });

  it('is waited out beside a replica that is full: whoever waits goes to the one whose rest is over', () => {
    const [rests, full] = [replica('a', 1), replica('b', 1)];
    const group = new ExpertGroup('e', [rests, full], { queueSize: 9, queueTimeout: 5_000 });
    const ask = () => {
      const results: (Lease | RouterError)[] = [];
      group.admit(admission(), (got) => results.push(got));
      return results;
    };
    const first = ask()[0] as Lease;
    first.end({ kind: 'limited', forMs: 1_000, tenant: null });
    ask(); // and does not end
    const third = ask();
    expect(third).toEqual([]);
    now += 1_002;
    vi.advanceTimersByTime(1_002);
    expect(third).toEqual([expect.objectContaining({ replica: first.replica })]);
  });

  it('is waited out by those who came before it was told, too', () => {
    const one = replica('r', 1);
    const group = new ExpertGroup('e', [one], { queueSize: 9, queueTimeout: 5_000 });
    const ask = () => {
      const results: (Lease | RouterError)[] = [];
      group.admit(admission(), (got) => results.push(got));
      return results;
    };
    const [first] = ask();
    const [second, third] = [ask(), ask()];
    (first as Lease).end({ kind: 'limited', forMs: 1_000, tenant: '' });
    expect([second, third]).toEqual([[], []]);
    now += 1_002;
    vi.advanceTimersByTime(1_002);
    expect([second.length, third.length]).toEqual([1, 0]);
    (second[0] as Lease).end(ok);
    expect(third).toEqual([expect.objectContaining({ replica: one })]);
  });
});

describe('ServiceRate', () => {
  it('is tokens over busy time, idle time apart', () => {
    const rate = new ServiceRate();
    expect(rate.perSecond(now)).toBe(0);
    rate.started(now);
    rate.ended(now + 2_000, 100);
    expect(rate.perSecond(now + 60_000)).toBeCloseTo(50, 1);
  });
});

describe('FairQueue', () => {
  const item = (name: string, tenant: string, priority = 0) => ({ name, tenant, priority });

  it('goes by priority, then by turns of tenants, then by order', () => {
    const queue = new FairQueue<ReturnType<typeof item>>();
    for (const one of [
      item('a1', 'a'),
      item('a2', 'a'),
      item('a3', 'a'),
      item('b1', 'b'),
      item('vip', 'c', 1),
    ])
      queue.push(one);
    const order = Array.from({ length: 5 }, () => queue.shift()!.name);
    expect(order).toEqual(['vip', 'a1', 'b1', 'a2', 'a3']);
    expect(queue.shift()).toBeUndefined();
  });

  it('keeps its length and loses nothing under any pushes, shifts and removals', () => {
    const step = fc.record({
      act: fc.constantFrom('push', 'shift', 'remove'),
      tenant: fc.constantFrom('a', 'b'),
      priority: fc.nat(2),
      at: fc.nat(30),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new FairQueue<{ tenant: string; priority: number }>();
        const inside: { tenant: string; priority: number }[] = [];
        for (const { act, tenant, priority, at } of steps) {
          if (act === 'push') {
            inside.push({ tenant, priority });
            queue.push(inside.at(-1)!);
          } else if (act === 'shift') {
            const taken = queue.shift();
            expect(taken === undefined).toBe(inside.length === 0);
            if (taken) expect(taken.priority).toBe(Math.max(...inside.map((one) => one.priority)));
            if (taken) inside.splice(inside.indexOf(taken), 1);
          } else if (inside.length > 0) {
            const [gone] = inside.splice(at % inside.length, 1);
            expect(queue.remove(gone!)).toBe(true);
            expect(queue.remove(gone!)).toBe(false);
          }
          expect(queue.length).toBe(inside.length);
        }
      }),
    );
  });
});

describe('ExpertGroup', () => {
  const admit = (group: ExpertGroup, more: Partial<Admission> = {}) => {
    const results: (Lease | RouterError)[] = [];
    const ticket = group.admit(admission(more), (result) => results.push(result));
    return { ticket, results };
  };

  it('admits up to the limit, queues, and lets the next in when one ends', () => {
    const group = new ExpertGroup('e', [replica('r', 1)], { queueSize: 1, queueTimeout: 1000 });
    const first = admit(group).results;
    const second = admit(group).results;
    const third = admit(group).results;
    expect(group.load()).toMatchObject({ inFlight: 1, queued: 1 });
    expect(third[0]).toMatchObject({ code: 'overloaded', retryAfter: expect.any(Number) });
    (first[0] as Lease).end(ok);
    expect(second).toHaveLength(1);
    expect(group.load()).toMatchObject({ inFlight: 1, queued: 0 });
  });

  it('refuses who waited too long, and forgets who left', () => {
    const group = new ExpertGroup('e', [replica('r', 1)], { queueSize: 9, queueTimeout: 1000 });
    admit(group);
    const late = admit(group);
    const gone = admit(group);
    gone.ticket.leave();
    vi.advanceTimersByTime(1000);
    expect(late.results[0]).toMatchObject({ code: 'queue_timeout' });
    expect(gone.results).toEqual([]);
    expect(group.load()).toMatchObject({ inFlight: 1, queued: 0 });
  });

  it('refuses at once what cannot be served in time', () => {
    const only = replica('r', 1);
    const group = new ExpertGroup('e', [only], { queueSize: 99, queueTimeout: 1000 });
    const first = admit(group, { tokens: 100 }).results;
    now += 10_000;
    (first[0] as Lease).end(ok); // 10 tokens a second
    admit(group, { tokens: 100 });
    expect(admit(group).results[0]).toMatchObject({ code: 'overloaded', retryAfter: 10 });
  });

  it('says why when no replica can take requests, and lets those who wait in when one comes back', () => {
    const only = replica('http://gpu1', 1);
    const group = new ExpertGroup('e', [only], { queueSize: 9, queueTimeout: 1000 });
    group.found(only, {
      state: 'down',
      failure: { kind: 'unreachable', code: 'ECONNREFUSED', detail: 'ECONNREFUSED' },
    });
    expect(admit(group).results[0]).toMatchObject({
      code: 'expert_not_ready',
      message: expect.stringContaining('http://gpu1 down (ECONNREFUSED)'),
    });
    group.found(only, { state: 'ready' });
    expect(admit(group).results[0]).not.toBeInstanceOf(RouterError);
  });

  it('sends away who waits once nobody is left to wait for, by its breaker or by a probe', () => {
    const unreachable = { kind: 'unreachable', code: 'ECONNREFUSED', detail: 'ECONNREFUSED' } as const;
    const losing = {
      breaker: (one: Replica) => {
        for (let failures = 0; failures < 4; failures++) one.lease(1).end({ kind: 'faulted' });
      },
      probe: (one: Replica, group: ExpertGroup) => group.found(one, { state: 'down', failure: unreachable }),
    };
    for (const lose of Object.values(losing)) {
      const only = replica('r', 1);
      const group = new ExpertGroup('e', [only], { queueSize: 9, queueTimeout: 30_000 });
      const running = admit(group).results[0] as Lease;
      const waiting = [admit(group).results, admit(group).results];
      lose(only, group);
      running.end({ kind: 'faulted' });
      expect(group.queued).toBe(0);
      for (const results of waiting)
        expect(results).toEqual([expect.objectContaining({ code: 'expert_not_ready' })]);
    }
  });

  it('invariant 16: holds requests for an expert that is warming up, within the deadline, and its breaker stays closed', () => {
    const only = replica('gpu', 1);
    const group = new ExpertGroup('e', [only], { queueSize: 9, queueTimeout: 1000 });
    group.found(only, { state: 'warming', detail: 'loading model' });
    const held = admit(group).results;
    const late = admit(group).results;
    expect(group.load()).toMatchObject({ queued: 2, available: false });
    group.found(only, { state: 'ready' });
    expect(held[0]).not.toBeInstanceOf(RouterError);
    vi.advanceTimersByTime(1000);
    expect(late[0]).toMatchObject({ code: 'queue_timeout', retryAfter: expect.any(Number) });
    expect(only.breaker).toBe('closed');
  });

  it("invariant 18: counts others' requests beside its own live count, as long as readings are fresh", () => {
    const [one, other] = [replica('a', 2), replica('b', 2)];
    const group = new ExpertGroup('e', [one, other], { queueSize: 9, queueTimeout: 1000 });
    const tell = (to: Replica, running: number, more = {}) =>
      group.heard(to, {
        seen: {
          load: { running, waiting: 0, kvCacheUse: 0, ...more },
          own: to.inFlight,
          at: now,
          every: 1000,
        },
        problem: null,
      });
    tell(one, 6);
    expect(group.load()).toMatchObject({ inFlight: 6, capacity: 4 });
    expect(group.inFlight).toBe(0);
    const leases = [admit(group), admit(group)].map(({ results }) => results[0] as Lease);
    expect(leases.map((lease) => lease.replica)).toEqual([other, other]);
    tell(other, 2, { kvCacheUse: 0.99 });
    expect(group.load().capacity).toBe(4);
    now += 60_000;
    expect(group.load()).toMatchObject({ inFlight: 2, capacity: 4 });
    for (const lease of leases) lease.end(ok);
    expect(group.load().inFlight).toBe(0);
  });

  it('sees a wait while an engine has requests waiting, whoever sent them, and still admits', () => {
    const only = replica('a', 256);
    const group = new ExpertGroup('e', [only], { queueSize: 9, queueTimeout: 1000 });
    const first = admit(group, { tokens: 100 }).results[0] as Lease;
    now += 1_000;
    first.end(ok); // 100 tokens a second
    expect(expectedWait(group.load())).toBe(0);
    const load = { running: 20, waiting: 4, kvCacheUse: 1 };
    group.heard(only, { seen: { load, own: 0, at: now, every: 1000 }, problem: null });
    expect(group.load()).toMatchObject({ inFlight: 24, capacity: 20 });
    expect(expectedWait(group.load())).toBeGreaterThan(0);
    expect(admit(group).results[0]).not.toBeInstanceOf(RouterError);
  });

  it('invariant 1: counts return to zero on every interleaving of requests and endings', () => {
    const outcome = fc.constantFrom<LeaseOutcome>(
      ok,
      { kind: 'failed' },
      { kind: 'faulted' },
      { kind: 'late' },
      { kind: 'limited', forMs: 50, tenant: null },
      { kind: 'limited', forMs: 50, tenant: 'a' },
      { kind: 'undecided' },
    );
    const step = fc.record({
      act: fc.constantFrom('admit', 'end', 'twice', 'leave', 'wait'),
      at: fc.nat(50),
      outcome,
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 3 }), (steps, limit) => {
        const group = new ExpertGroup('e', [replica('a', limit), replica('b', limit, 2)], {
          queueSize: 5,
          queueTimeout: 500,
        });
        const open: { lease: Lease | null; leave(): void }[] = [];
        for (const { act, at, outcome: how } of steps) {
          const one = open[at % Math.max(1, open.length)];
          if (act === 'admit') {
            const request: (typeof open)[number] = { lease: null, leave: () => {} };
            const ticket = group.admit(admission(), (result) => {
              if (!(result instanceof RouterError)) request.lease = result;
              else if (open.includes(request)) open.splice(open.indexOf(request), 1);
            });
            request.leave = () => ticket.leave();
            if (request.lease || group.load().queued > open.filter((other) => !other.lease).length)
              open.push(request);
          } else if (act === 'wait') {
            now += 300;
            vi.advanceTimersByTime(300);
            // Every limit is over by now: nobody waits for what is there.
            if (group.replicas.some(({ available, hasRoom }) => available && hasRoom))
              expect(group.load().queued).toBe(0);
          } else if (one) {
            if (act === 'leave' || !one.lease) one.leave();
            one.lease?.end(how);
            if (act === 'twice') one.lease?.end({ kind: 'failed' });
            open.splice(open.indexOf(one), 1);
          }
          expect(group.load().inFlight).toBeLessThanOrEqual(2 * limit);
        }
        for (let left = open.pop(); left; left = open.pop()) {
          left.leave();
          left.lease?.end(ok);
        }
        now += 60_000;
        vi.advanceTimersByTime(60_000);
        for (const one of group.replicas) group.found(one, { state: 'ready' });
        expect(group.load()).toMatchObject({ inFlight: 0, queued: 0, outstandingTokens: 0 });
      }),
    );
  });
});
