/** What an operator may have done to a gateway that runs. */
import type { DrainChange } from '../fleet/drains.ts';

/** Who wants it; for the log and the audit log. */
export interface By {
  readonly key: string | null;
  readonly traceId: string;
}

/** A field of the config without which there is no retraining; `records` without its `prompts`. */
export type Lacking = 'records' | 'router' | 'shadow';

/** As `GET /v1/retraining` tells it. */
export interface RetrainingBody {
  /** None where a retraining could begin. */
  readonly lacking: readonly Lacking[];
  readonly state: 'idle' | 'running' | 'done' | 'failed';
  /** What it is at, as `train` prints it. */
  readonly stage: string | null;
  /** Milliseconds since 1970. */
  readonly began: number | null;
  readonly ended: number | null;
  readonly error: string | null;
  readonly result: {
    readonly router_model: string;
    readonly clusters: number;
    /** That it was trained on. */
    readonly prompts: number;
    /** Clusters that stay the same. */
    readonly kept: number;
    /** Share of the prompts that are in another cluster than before, 0 to 1. */
    readonly moved: number;
  } | null;
  /** Whether there is a shadow model that could be applied. */
  readonly shadow: boolean;
}

/** Carried out in every process. */
export interface Operations {
  /** Whether all of an expert is drained, so that no replica of it can be resumed alone. */
  covers(expert: string): boolean;
  /** So many experts and replicas are drained. */
  readonly drained: number;
  drain(change: DrainChange, by: By): Promise<void>;
  retraining(): Promise<RetrainingBody>;
  /** Begins one. @throws RouterError `invalid_request` with what the config lacks, `overloaded` while one runs */
  retrain(by: By): Promise<void>;
  /** Puts the shadow model into force. @throws RouterError `invalid_request`, `not_reloaded`, and then nothing has changed */
  applyShadow(by: By): Promise<{ readonly experts: readonly string[]; readonly routerModel: string }>;
  /** @returns what serves then; rejects with the reason where everything stays as it was */
  reload(by: By): Promise<{ readonly experts: readonly string[]; readonly routerModel: string }>;
}
