import { expect, it } from 'vitest';
import { BusyClock } from '../fleet/busy-clock.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { AuditedIdle } from '../records/audit.ts';
import { IdleGpus } from './idle-gpus.ts';

it('the idle time of GPUs is what servers that were there had beside their busy time, told once of a shared one', () => {
  let now = 0;
  const written: AuditedIdle[] = [];
  const [shared, own] = [new BusyClock(), new BusyClock()];
  const sleeping = { clock: own, absent: true };
  const fleet = {
    groups: new Map([
      ['sql', { replicas: [{ clock: shared, absent: false }] }],
      ['law', { replicas: [{ clock: shared, absent: false }] }],
      ['cold', { replicas: [sleeping] }],
      ['free', { replicas: [{ clock: new BusyClock(), absent: false }] }],
    ]),
  } as unknown as Fleet;
  const price = { per_gpu_hour: 3600, gpus: 2 };
  const idle = new IdleGpus({
    fleet: () => fleet,
    prices: () =>
      new Map([
        ['sql', price],
        ['law', price],
        ['cold', price],
      ]),
    now: () => now,
    at: () => 'today',
    write: (entry) => written.push(entry),
  });
  shared.change(1, 2_000);
  shared.change(-1, 5_000);
  now = 10_000;
  idle.look();
  expect(written).toEqual([{ event: 'idle', at: 'today', expert: 'sql', gpu_seconds: 14, usd: 14 }]);
  // It has come now, and is idle from now on.
  sleeping.absent = false;
  now = 11_000;
  idle.look();
  now = 12_000;
  idle.close();
  expect(written.map(({ expert, gpu_seconds }) => [expert, gpu_seconds])).toEqual([
    ['sql', 14],
    ['sql', 2],
    ['sql', 2],
    ['cold', 2],
  ]);
});
