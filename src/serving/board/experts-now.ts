/** How every expert is now, over all processes. */
import { expectedWait } from '../../deciding/routing/expected-wait.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { ExpertNow } from './wire.ts';

export function expertsNow(fleet: Fleet): Record<string, ExpertNow> {
  const experts: Record<string, ExpertNow> = {};
  for (const [id, group] of fleet.groups) {
    const load = group.load();
    const caches = group.replicas.flatMap(({ report }) => report.seen?.load.kvCacheUse ?? []);
    experts[id] = {
      inFlight: group.inFlight,
      queued: load.queued,
      available: load.available,
      drained: group.drained,
      replicas: group.replicas.length,
      broken: group.replicas.filter(({ breaker }) => breaker !== 'closed').length,
      expectedMs: Math.round(expectedWait(load) * 1000),
      cache: caches.length === 0 ? null : Math.round(Math.max(...caches) * 1e3) / 1e3,
    };
  }
  return experts;
}
