/** What the doctor can find wrong: the failures of engines, and those that show only in an answer. As values. */
import { type EngineFailure, failureText } from '../engines/failure.ts';

export type Fault =
  | EngineFailure
  /** The expert could not be made from its config. */
  | { readonly kind: 'config'; readonly detail: string }
  | { readonly kind: 'error-in-answer'; readonly streamed: boolean; readonly message: string }
  /** Something else than a chat completion, or than its events. */
  | { readonly kind: 'not-an-answer'; readonly streamed: boolean; readonly body: string }
  /** The stream ends within a character. */
  | { readonly kind: 'not-utf8' }
  | { readonly kind: 'no-done'; readonly chunks: number }
  /** The request runs on although its reader left. Counts are requests in the engine. */
  | {
      readonly kind: 'not-cancelled';
      readonly before: number;
      readonly after: number;
      readonly afterMs: number;
    }
  | { readonly kind: 'no-metrics' }
  /** There are metrics, but they cannot be read. */
  | { readonly kind: 'unreadable-metrics'; readonly failure: EngineFailure };

export function faultText(fault: Fault): string {
  switch (fault.kind) {
    case 'error-in-answer':
      return fault.streamed
        ? `an error within the stream: ${fault.message}`
        : `status 200 with an error in it: ${fault.message}`;
    case 'not-an-answer':
      return `${fault.streamed ? 'no events' : 'not a chat completion'}: ${fault.body}`;
    case 'not-utf8':
      return 'it ends within a character: not valid UTF-8';
    case 'no-done':
      return `${fault.chunks} chunks and no [DONE]: clients take that for a broken answer`;
    case 'not-cancelled':
      return `its requests stay at ${fault.after} (${fault.before} before) ${seconds(fault.afterMs)} after the reader left`;
    case 'no-metrics':
      return "none found: others' requests cannot be counted";
    case 'unreadable-metrics':
      return failureText(fault.failure);
    case 'loading':
      return `not ready yet: ${fault.detail}`;
    case 'config':
      return fault.detail;
    default:
      return failureText(fault);
  }
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 0)} s`;
}
