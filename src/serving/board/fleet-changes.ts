/** What has become of the experts since the last look: gone, back, drained, resumed, more or fewer replicas. */
import type { Fleet } from '../fleet/fleet.ts';
import type { ExpertGroup } from '../fleet/group.ts';
import { replicaLabel } from '../fleet/replica-label.ts';
import type { BoardEvent } from './wire.ts';

type Change = Omit<BoardEvent, 'at'>;

interface Seen {
  readonly available: boolean;
  readonly drained: boolean;
  /** Labels of replicas. */
  readonly drainedAlone: ReadonlySet<string>;
  readonly replicas: number;
}

export class FleetChanges {
  readonly #seen = new Map<string, Seen>();

  since(fleet: Fleet): readonly Change[] {
    for (const id of this.#seen.keys()) if (!fleet.groups.has(id)) this.#seen.delete(id);
    const changes: Change[] = [];
    for (const [id, group] of fleet.groups) {
      const now = seenOf(group);
      // At first it is taken for well, with the replicas it has.
      const before = this.#seen.get(id) ?? WELL(now);
      changes.push(...changesOf(id, before, now));
      this.#seen.set(id, now);
    }
    return changes;
  }
}

const WELL = ({ replicas }: Seen): Seen => ({
  available: true,
  drained: false,
  drainedAlone: new Set(),
  replicas,
});

function seenOf(group: ExpertGroup): Seen {
  const { drained, replicas } = group;
  const alone = drained ? [] : replicas.filter((replica) => replica.drained);
  return {
    available: group.load().available,
    drained,
    drainedAlone: new Set(alone.map((replica) => replicaLabel(group, replica))),
    replicas: replicas.length,
  };
}

function changesOf(id: string, before: Seen, now: Seen): readonly Change[] {
  const changes: Change[] = [];
  if (before.replicas !== now.replicas)
    changes.push({ kind: 'scaled', what: id, replicas: [before.replicas, now.replicas] });
  if (before.drained !== now.drained)
    return [...changes, { kind: now.drained ? 'drained' : 'resumed', what: id }];
  for (const one of now.drainedAlone)
    if (!before.drainedAlone.has(one)) changes.push({ kind: 'drained', what: one });
  for (const one of before.drainedAlone)
    if (!now.drainedAlone.has(one)) changes.push({ kind: 'resumed', what: one });
  if (before.available !== now.available) changes.push({ kind: now.available ? 'up' : 'down', what: id });
  return changes;
}
