/** What an operator may have done to a gateway that runs. */
import type { DrainChange } from '../fleet/drains.ts';

/** Who wants it; for the log and the audit log. */
export interface By {
  readonly key: string | null;
  readonly traceId: string;
}

/** Carried out in every process. */
export interface Operations {
  /** Whether all of an expert is drained, so that no replica of it can be resumed alone. */
  covers(expert: string): boolean;
  /** So many experts and replicas are drained. */
  readonly drained: number;
  drain(change: DrainChange, by: By): Promise<void>;
  /** @returns what serves then; rejects with the reason where everything stays as it was */
  reload(by: By): Promise<{ readonly experts: readonly string[]; readonly routerModel: string }>;
}
