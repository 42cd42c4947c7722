/** What all processes of `serve` share: where lines go, and how long running answers may take at the end. */
import { printable } from '../../core/printable.ts';
import type { RequestNote } from '../../serving/front/request-note.ts';
import { requestLine } from './request-line.ts';

export const log = (line: string): void => console.error(printable(line));

/** How long running answers may take to finish once the process was asked to end. */
export const GRACE_MS = 20_000;

export function requestLog(verbose: boolean): (note: RequestNote) => void {
  return verbose ? (note) => log(requestLine(note)) : () => {};
}
