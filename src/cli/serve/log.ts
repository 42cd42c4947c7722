/** What all processes of `serve` share: where lines go and in which form, and how long running answers may take at the end. */
import { printable } from '../../core/printable.ts';
import type { RequestNote } from '../../serving/front/request-note.ts';
import { requestFields, requestLine } from './request-line.ts';

/** `json`: an object a line, for programs that gather logs. */
export type LogFormat = 'pretty' | 'json';

type Level = 'info' | 'warn' | 'error';

let format: LogFormat = 'pretty';

export function logAs(wanted: LogFormat): void {
  format = wanted;
}

export const log = (line: string): void => write(line, { message: line }, levelOf(line));

/** @param pretty the line for people @param fields the same for programs */
function write(pretty: string, fields: object, level: Level): void {
  if (format === 'pretty') console.error(printable(pretty));
  else console.error(JSON.stringify({ time: new Date().toISOString(), level, ...fields }));
}

function levelOf(line: string): Level {
  if (/internal error/.test(line)) return 'error';
  return /is down|Not reloaded|ended \(|hangs|is not ready|do not reach/.test(line) ? 'warn' : 'info';
}

let graceMs = 20_000;

/** @param ms that running answers may take to finish after the process was told to stop */
export function finishWithin(ms: number): void {
  graceMs = ms;
}

export const grace = (): number => graceMs;

export function requestLog(verbose: boolean): (note: RequestNote) => void {
  if (!verbose) return () => {};
  return (note) =>
    write(requestLine(note), { message: 'request', ...requestFields(note) }, levelOfRequest(note));
}

function levelOfRequest({ status, error }: RequestNote): Level {
  if (error === null) return 'info';
  return status === null || status >= 500 ? 'error' : 'warn';
}

/** What closing the experts and sockets may take beyond that. */
const CLOSE_MS = 4_000;

/** Ends the process by then, whatever still holds on. */
export function endWithin(graceMs: number): void {
  setTimeout(() => process.exit(1), graceMs + CLOSE_MS).unref();
}
