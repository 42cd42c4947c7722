/** Follows the replicas of experts whose config says where they are found, for as long as their fleet lives. */
import type { AnyKind } from '../config/catalogue.ts';
import type { ExpertConfig } from '../config/expert-fields.ts';
import type { ExpertDeps } from '../experts/kind.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { ExpertGroup } from '../fleet/group.ts';
import { Membership } from '../fleet/membership.ts';
import { Replica } from '../fleet/replica.ts';
import { type SlotSource, slotsKey } from '../fleet/slots.ts';
import type { Surroundings } from '../members/source.ts';
import { watchSource } from '../members/watch.ts';
import { discoverOf, expertAt, kindOf } from './kinds.ts';
import type { World } from './world.ts';

/** Milliseconds for which a start or a reload waits for the first replicas. */
const FIRST_MS = 3_000;

interface Following {
  readonly world: World;
  readonly kinds: readonly AnyKind[];
  readonly slots: SlotSource;
  readonly deps: ExpertDeps;
  /** Whether this process logs what all of them see alike. */
  readonly tellsHealth: boolean;
}

/** Resolves when the first replicas are there, or after a few seconds without. Never rejects. */
export async function follow(
  fleet: Fleet,
  group: ExpertGroup,
  expert: ExpertConfig,
  following: Following,
): Promise<void> {
  const { world, kinds, slots, deps, tellsHealth } = following;
  const discover = discoverOf(expert, kinds);
  if (discover === null) return;
  const log = tellsHealth ? (line: string) => world.log(line) : () => {};
  const limit = expert.max_concurrent ?? kindOf(expert, kinds).admission.maxConcurrent;
  const membership = new Membership(fleet, group, {
    make: async ({ url, weight }) =>
      new Replica(url, await expertAt(expert, url, deps, kinds), {
        weight,
        limit,
        now: world.clock.monotonic,
        slots: slots.slots(slotsKey(expert.id, url, 0)),
      }),
    log,
  });
  await new Promise<void>((resolve) => {
    const late = setTimeout(resolve, FIRST_MS).unref();
    const around: Surroundings = {
      tell: (found) =>
        void membership.follow(found).then(() => {
          clearTimeout(late);
          resolve();
        }),
      trouble: onceEach((problem) =>
        log(`Expert '${expert.id}': ${problem ?? 'its replicas are found again.'}`),
      ),
      environment: world.environment,
      random: world.random,
    };
    const source = watchSource(discover, around);
    fleet.onClose(() => {
      source.close();
      clearTimeout(late);
      resolve();
    });
  });
}

/** Tells of changes alone; to begin with, all is well. */
function onceEach(tell: (problem: string | null) => void): (problem: string | null) => void {
  let told: string | null = null;
  return (problem) => {
    if (problem === told) return;
    told = problem;
    tell(problem);
  };
}
