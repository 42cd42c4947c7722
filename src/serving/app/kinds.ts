/** What the kinds of expert say of a configured expert. */
import type { AnyKind } from '../config/catalogue.ts';
import { type ExpertConfig, kindOptions } from '../config/expert-fields.ts';
import type { Config } from '../config/schema.ts';
import type { Discover } from '../experts/discover-option.ts';
import type { Expert } from '../experts/expert.ts';
import { EXPERT_KINDS } from '../experts/index.ts';
import type { ExpertDeps } from '../experts/kind.ts';
import type { StandIns } from './stand-ins.ts';

export function kindOf(expert: ExpertConfig, kinds: readonly AnyKind[] = EXPERT_KINDS): AnyKind {
  return kinds.find((candidate) => candidate.kind === expert.kind)!;
}

/** Whether every expert is a server elsewhere, so that more processes of the gateway mean more throughput. */
export function canHaveWorkers(config: Config, kinds: readonly AnyKind[] = EXPERT_KINDS): boolean {
  return !config.experts.some((expert) => isInProcess(expert, kinds));
}

/** Whether an expert computes inside this process. */
export function isInProcess(expert: ExpertConfig, kinds: readonly AnyKind[] = EXPERT_KINDS): boolean {
  return kindOf(expert, kinds).inProcess;
}

/** Where the replicas of an expert are found while it serves; null where its config lists them. */
export function discoverOf(expert: ExpertConfig, kinds: readonly AnyKind[] = EXPERT_KINDS): Discover | null {
  return kindOf(expert, kinds).discover?.(kindOptions(expert)) ?? null;
}

/** A replica of it at this address. Rejects with `UserError` when it cannot be had. */
export function expertAt(
  expert: ExpertConfig,
  url: string,
  deps: ExpertDeps,
  kinds: readonly AnyKind[] = EXPERT_KINDS,
): Promise<Expert> {
  const kind = kindOf(expert, kinds);
  return kind.create(expert.id, kind.at!(kindOptions(expert), url), deps);
}

export interface ReplicaMaker {
  readonly name: string;
  readonly weight: number;
  /** Rejects with `UserError` when it cannot be had. */
  make(): Promise<Expert>;
}

/** One a replica of an expert; none is made yet. @throws UserError for options that do not go together */
export function replicaMakers(
  expert: ExpertConfig,
  deps: ExpertDeps,
  standIns: StandIns,
  kinds: readonly AnyKind[] = EXPERT_KINDS,
): readonly ReplicaMaker[] {
  const kind = kindOf(expert, kinds);
  const options = kindOptions(expert);
  const replicas = kind.replicas?.(options) ?? [{ name: expert.id, weight: 1, options }];
  return replicas.map(({ name, weight, options: own }) => ({
    name,
    weight,
    make: () => standIns.instead(expert.id, kind, options, () => kind.create(expert.id, own, deps)),
  }));
}
