/** Shared by all processes of `serve`: the log, and the grace period at shutdown. */
import type { DecisionNote } from '../../serving/app/assembly.ts';

export const log = (line: string): void => console.error(line);

/** How long running answers may take to finish after the process was told to stop. */
export const GRACE_MS = 20_000;

export function verboseLog(verbose: boolean): (note: DecisionNote) => void {
  if (!verbose) return () => {};
  return ({ traceId, expert, reason, cluster, confidence }) =>
    log(`${traceId} -> ${expert} (${reason}, cluster ${cluster}, confidence ${confidence.toFixed(2)})`);
}
