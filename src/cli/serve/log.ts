/** Shared by all processes of `serve`: the log, and the grace period at shutdown. */
import type { DecisionNote } from '../../serving/app/assembly.ts';

export const log = (line: string): void => console.error(line);

/** How long running answers may take to finish after the process was told to stop. */
export const GRACE_MS = 20_000;

/** What closing the experts and sockets may take beyond that. */
const CLOSE_MS = 4_000;

/** Ends the process by then, whatever still holds on. */
export function endWithin(graceMs: number): void {
  setTimeout(() => process.exit(1), graceMs + CLOSE_MS).unref();
}

export function verboseLog(verbose: boolean): (note: DecisionNote) => void {
  if (!verbose) return () => {};
  return ({ traceId, expert, reason, cluster, confidence }) =>
    log(`${traceId} -> ${expert} (${reason}, cluster ${cluster}, confidence ${confidence.toFixed(2)})`);
}
