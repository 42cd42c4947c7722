/** Where the replicas of an expert are told by somebody else: DNS, a file, or Kubernetes. */
import type { Found } from '../fleet/membership.ts';

/** What a source needs of its surroundings. */
export interface Surroundings {
  /** Told all that may be asked, whenever that may have changed. Not called after `close`. */
  tell(found: readonly Found[]): void;
  /** Told what is wrong when that changes; null once all is well again. What was found last stays in force meanwhile. */
  trouble(problem: string | null): void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Uniform in [0, 1), for jitter. */
  random(): number;
}

export interface Source {
  close(): void;
}
