/**
 * What a key with limits is charged for an answer that Envoy carries. Envoy is asked to show the bodies of such answers, and
 * of no others; one that does not is charged what was expected.
 */
import type { Ask } from '../dialects/ask.ts';
import type { HashedKey } from '../front/auth.ts';
import { piecesOf, quotaHeaders, reserve } from '../front/limiting.ts';
import type { Routed } from '../gateway/router.ts';
import type { Hold, Limiter } from '../limits/limiter.ts';
import { isQuotaHeader, pieceCounter } from '../limits/metered.ts';
import { isStreamOf, type Scanner } from '../reply/scanner.ts';
import type { Change } from './answers.ts';
import type { Head } from './head.ts';
import { BODY_MODE, type ProcessingResponse, SEND } from './protocol.ts';

/** The end of the answer is shown all the same: the lease lasts until then. */
const SHOW_BODY = { response_body_mode: BODY_MODE.streamed, response_trailer_mode: SEND };

interface Begun {
  /** With what is left to the key, in place of what the server's provider tells. */
  readonly change: Change;
  readonly more: Pick<ProcessingResponse, 'mode_override'>;
}

/** Null where the key has no limits. Rejects as `Limiter.admit`. @param epoch milliseconds since 1970 */
export async function meteringOf(
  limiter: Limiter | null,
  caller: HashedKey | null,
  request: { readonly ask: Ask; readonly routed: Routed },
  epoch: number,
): Promise<Metering | null> {
  const hold = await reserve(limiter, caller, request);
  return hold && new Metering(hold, request.ask, epoch);
}

export class Metering {
  readonly #hold: Hold;
  readonly #ask: Ask;
  readonly #quotas: Readonly<Record<string, string>>;
  readonly #count: (chunk: Uint8Array) => number;
  #scanner: Scanner | null = null;
  #asked = false;
  #status: number | null = null;
  #shown = false;
  #whole = false;

  constructor(hold: Hold, ask: Ask, epoch: number) {
    this.#hold = hold;
    this.#ask = ask;
    this.#quotas = quotaHeaders(hold, ask.dialect.id, epoch);
    this.#count = pieceCounter(piecesOf(ask));
  }

  /** The expert is asked: from now on its work counts. @param gpuUsd what GPUs have cost so far */
  served(expert: string, gpuUsd: () => number): void {
    this.#asked = true;
    this.#hold.served(expert);
    this.#hold.costs(gpuUsd);
  }

  /** The head of the answer. @param change of its headers, so far */
  begins({ status, headers }: Head, { set, remove }: Change): Begun {
    this.#status = status;
    const foreign = Object.keys(headers).filter(isQuotaHeader);
    const change = { set: { ...set, ...this.#quotas }, remove: [...remove, ...foreign] };
    const readable = status !== null && status < 400 && headers['content-encoding'] === undefined;
    if (!readable) return { change, more: {} };
    const { dialect } = this.#ask;
    this.#scanner = dialect.scanner(isStreamOf(dialect.streaming, String(headers['content-type'])));
    return { change, more: { mode_override: SHOW_BODY } };
  }

  read(chunk: Buffer, last: boolean): void {
    this.#shown = true;
    this.#whole ||= last;
    this.#scanner?.push(chunk);
    this.#hold.produced(this.#count(chunk));
  }

  /** However the request ends; further calls change nothing. */
  end(): void {
    if (this.#status === null && this.#asked) this.#hold.abandoned();
    else if (this.#status === null || this.#status >= 400) this.#hold.brokenOff();
    else if (!this.#shown) this.#hold.ended('unknown');
    else if (!this.#whole && !this.#scanner?.done) this.#hold.abandoned();
    else {
      const ending = this.#scanner?.end();
      this.#hold.ended(ending && 'usage' in ending ? ending.usage : 'unknown');
    }
  }
}
