/** The loads of a fleet as the metrics page shows them. */
import type { Fleet } from '../fleet/fleet.ts';
import type { ExpertGroup } from '../fleet/group.ts';
import { replicaLabel } from '../fleet/replica-label.ts';
import type { BreakerLevel, EngineLoad, LoadNow } from '../telemetry/gauges.ts';

/** The load of every expert in this process. */
export function ownLoads(fleet: Fleet): ReadonlyMap<string, LoadNow> {
  return new Map(Array.from(fleet.groups, ([id, group]) => [id, ownLoad(group)]));
}

/** What engines last reported. */
export function engineLoads(fleet: Fleet): readonly EngineLoad[] {
  return [...fleet.groups].flatMap(([expert, group]) =>
    group.replicas.flatMap((replica) => {
      const { seen } = replica.report;
      if (!seen || replica.reportState === 'lost') return [];
      return {
        expert,
        replica: replicaLabel(group, replica),
        ...seen.load,
        ageSeconds: (replica.reportAge ?? 0) / 1000,
      };
    }),
  );
}

const LEVELS = { closed: 0, 'half-open': 0.5, open: 1 } as const;

export function breakerLevels(fleet: Fleet): readonly BreakerLevel[] {
  return [...fleet.groups].flatMap(([expert, group]) =>
    group.replicas.map((replica) => ({
      expert,
      replica: replicaLabel(group, replica),
      level: LEVELS[replica.breaker],
    })),
  );
}

/** Of this process alone: metrics are added up over workers. */
function ownLoad(group: ExpertGroup): LoadNow {
  const inFlight = group.replicas.reduce((sum, replica) => sum + replica.own.inFlight, 0);
  return { inFlight, queued: group.queued, available: group.load().available, drained: group.drained };
}
