/** What all processes of `serve` share: where lines go, and how long running answers may take at the end. */
import { printable } from '../../core/printable.ts';
import type { RequestNote } from '../../serving/front/request-note.ts';
import { requestLine } from './request-line.ts';

export const log = (line: string): void => console.error(printable(line));

/** How long running answers may take to finish after the process was told to stop. */
export const GRACE_MS = 20_000;

export function requestLog(verbose: boolean): (note: RequestNote) => void {
  return verbose ? (note) => log(requestLine(note)) : () => {};
}

/** What closing the experts and sockets may take beyond that. */
const CLOSE_MS = 4_000;

/** Ends the process by then, whatever still holds on. */
export function endWithin(graceMs: number): void {
  setTimeout(() => process.exit(1), graceMs + CLOSE_MS).unref();
}
