/**
 * The load of an expert and of its replicas, as policies compare them: our own requests, and others' as far as engines
 * report them.
 */
import type { LoadSnapshot } from '../../deciding/routing/policy.ts';
import type { ReplicaSnapshot } from '../../deciding/routing/replica.ts';
import type { Replica } from './replica.ts';

/**
 * Of a whole expert, over all processes.
 * @param queued requests that wait for it @param share ours among all its requests; 1 counts of others what was read
 * and supposes nothing since
 */
export function loadOf(replicas: readonly Replica[], queued: number, share: number): LoadSnapshot {
  const available = replicas.filter((replica) => replica.available);
  return {
    inFlight: sum(replicas, (replica) => replica.inFlight + replica.others(share)),
    queued,
    outstandingTokens: sum(replicas, (replica) => tokensOf(replica, share)),
    tokensPerSecond: sum(available, (replica) => rateOf(replica, share)),
    capacity: sum(available, (replica) => replica.slots),
    available: available.length > 0,
  };
}

export function snapshotOf(replica: Replica, share: number): ReplicaSnapshot {
  const { name, weight, available, full } = replica;
  return { name, weight, available, full, outstandingTokens: tokensOf(replica, share) };
}

/** Others' requests count as tokens too: as many each as ours have on average. */
function tokensOf(replica: Replica, share: number): number {
  return replica.outstandingTokens + replica.others(share) * replica.meanTokens;
}

/** We see only our own tokens finish; others' finish beside them, in proportion to their requests. */
function rateOf(replica: Replica, share: number): number {
  return replica.tokensPerSecond * (1 + replica.others(share) / Math.max(1, replica.inFlight));
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
