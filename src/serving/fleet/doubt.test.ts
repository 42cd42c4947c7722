import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Expert, Health } from '../experts/expert.ts';
import { Fleet } from './fleet.ts';
import { ExpertGroup } from './group.ts';
import { Replica } from './replica.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A watched expert of which only this may be asked, and what it was asked. */
function watched(prove?: () => Promise<Health>) {
  const asked: string[] = [];
  const expert: Expert = {
    id: 'e',
    kind: 'test',
    speaks: [],
    generate: () => ({ resume: () => {}, cancel: () => {} }),
    health: async () => {
      asked.push('health');
      return { state: 'ready' };
    },
    ...(prove && {
      prove: () => {
        asked.push('a small request');
        return prove();
      },
    }),
    close: async () => {},
  };
  const replica = new Replica('r', expert, { weight: 1, limit: 2, now: () => performance.now() });
  const group = new ExpertGroup('e', [replica], { queueSize: 1, queueTimeout: 1 });
  const fleet = new Fleet([group], () => 0, { now: () => performance.now(), processes: 1 });
  fleet.watch();
  return { asked, replica, fleet };
}

it('one that broke off is asked for its health at once where no small request may be sent', async () => {
  const { asked, replica, fleet } = watched();
  replica.lease(1).end({ kind: 'failed' });
  await vi.advanceTimersByTimeAsync(0);
  expect(asked).toEqual(['health']);
  replica.lease(1).end({ kind: 'failed' }); // it is in doubt already
  await vi.advanceTimersByTimeAsync(0);
  expect(asked).toEqual(['health']);
  await fleet.close();
});

it('one that broke off gets a small request soon, and again until it is answered', async () => {
  let alive = false;
  const { asked, replica, fleet } = watched(async () =>
    alive ? { state: 'ready' } : { state: 'down', failure: { kind: 'timeout', detail: 'silence' } },
  );
  const small = () => asked.filter((one) => one === 'a small request').length;
  replica.lease(1).end({ kind: 'failed' });
  await vi.advanceTimersByTimeAsync(1_000);
  expect([small(), replica.available]).toEqual([1, false]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(small()).toBe(3);
  alive = true;
  await vi.advanceTimersByTimeAsync(10_000);
  expect([small(), replica.available]).toEqual([4, true]);
  await fleet.close();
});
