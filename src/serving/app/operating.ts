/** What operators do, carried out in every process, logged, and kept in the audit log. */
import { describeError } from '../../core/errors.ts';
import { changed, type DrainChange, type Drains } from '../fleet/drains.ts';
import type { By, Operations } from '../front/operator.ts';
import type { Audit } from '../records/audit.ts';
import type { WorkerLink } from '../workers/worker-link.ts';
import type { Retraining } from './retraining.ts';
import type { World } from './world.ts';

interface Operating {
  readonly world: Pick<World, 'log' | 'clock'>;
  readonly drains: Drains;
  /** To all processes; null in the only one. */
  readonly link: Pick<WorkerLink, 'drain'> | null;
  readonly audit: Pick<Audit, 'write'> | null;
  /** Has every process take up the config as it is now; rejects with the reason where they do not. */
  reload(): Promise<unknown>;
  readonly retraining: Retraining;
  inForce(): Awaited<ReturnType<Operations['reload']>>;
}

export function operationsOf({
  world,
  drains,
  link,
  audit,
  reload,
  retraining,
  inForce,
}: Operating): Operations {
  const { log, clock } = world;
  const note = (
    by: By,
    action: 'drain' | 'resume' | 'reload' | 'retrain' | 'apply_shadow',
    what: Partial<DrainChange>,
    error: string | null,
  ) =>
    audit?.write({
      event: 'action',
      at: new Date(clock.epoch()).toISOString(),
      trace_id: by.traceId,
      key: by.key,
      action,
      expert: what.expert ?? null,
      replica: what.replica ?? null,
      error,
    });
  const noted = async (by: By, action: 'reload' | 'retrain' | 'apply_shadow', done: Promise<unknown>) => {
    try {
      await done;
    } catch (error) {
      note(by, action, {}, describeError(error));
      throw error;
    }
    note(by, action, {}, null);
  };
  return {
    covers: (expert) => drains.covers(expert),
    get drained() {
      return drains.all.length;
    },
    drain: async (change, by) => {
      if (link) await link.drain(change);
      else drains.become(changed(drains.all, change));
      const { expert, replica, drained } = change;
      log(
        `Expert '${expert}'${replica === null ? '' : ` at ${replica}`} ${drained ? 'is drained' : 'is resumed'}, as key '${by.key}' asked.`,
      );
      note(by, drained ? 'drain' : 'resume', change, null);
    },
    reload: async (by) => {
      log(`Key '${by.key}' asks for a reload.`);
      await noted(by, 'reload', reload());
      return inForce();
    },
    retraining: () => retraining.told(),
    retrain: async (by) => {
      log(`Key '${by.key}' asks for a retraining.`);
      await noted(by, 'retrain', retraining.begin());
    },
    applyShadow: async (by) => {
      log(`Key '${by.key}' puts the shadow router model into force.`);
      await noted(by, 'apply_shadow', retraining.apply());
      return inForce();
    },
  };
}
