/** Who reads the response to a request. */
import type { ResponseHead } from './response-parser.ts';

/** Calls come in the order `head data* (end | fail)`; `fail` may come first. Nothing comes after a cancel. */
export interface ResponseHandler {
  head(head: ResponseHead): void;
  /** A piece of the body, which the receiver may keep. False pauses the response until `resume`. */
  data(payload: Buffer): boolean;
  /** In place of `data`: `bytes[from, to)` of the body, valid during the call only. Such a reader cannot pause. */
  borrow?(bytes: Buffer, from: number, to: number): void;
  /** @param surplus whether the server sent more than its head promised */
  end(surplus: boolean): void;
  fail(error: WireError): void;
}

export type WireFailure = 'unreachable' | 'timeout' | 'cut' | 'garbled';

export class WireError extends Error {
  override readonly name = 'WireError';
  /** `unreachable`: nothing of an answer came; `cut`: it broke off; `timeout`: a deadline passed; `garbled`: no HTTP. */
  readonly failure: WireFailure;

  constructor(failure: WireFailure, message: string, cause?: Error) {
    super(message, cause ? { cause } : undefined);
    this.failure = failure;
  }
}
