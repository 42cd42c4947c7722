/** Reads a request body whole, up to limits that its errors name. */
import { LIMITS } from '../../core/bounds.ts';
import { RouterError } from '../../core/errors.ts';
import { excerpt } from '../../core/excerpt.ts';
import { JsonMeasure } from '../../core/json-measure.ts';
import type { ReceivedBody } from '../gateway/read-request.ts';
import { type BodyBudget, type BodyShare, PROCESS_BUDGET } from './body-budget.ts';
import type { ClientRequest, ClientResponse } from './exchange.ts';

const MB = 1024 * 1024;
const FIRST_CAPACITY = 4_096;

/**
 * Its memory counts against the budget until the response is closed.
 * @throws RouterError `body_too_large`, `invalid_body`, `overloaded` or `unsupported_media_type`; never resolves if the
 *   client leaves meanwhile
 */
export function readBody(
  { request, response }: { readonly request: ClientRequest; readonly response: ClientResponse },
  limitMb: number,
  budget: BodyBudget = PROCESS_BUDGET,
): ReceivedBody | Promise<ReceivedBody> {
  const expected = announcedBytes(request.headers, limitMb);
  const limit = limitMb * MB;
  const share = budget.share();
  response.once('close', share.release);
  if (request.whole) return measured(request.whole, share);
  return new Promise((resolve, reject) => {
    const body = new GrowingBody(share, expected || limit);
    let refused = false;
    request.on('data', (chunk: Buffer) => {
      if (refused) return;
      try {
        if (body.length + chunk.length > limit) throw tooLarge(limitMb);
        body.push(chunk);
      } catch (error) {
        refused = true;
        body.drop();
        reject(error);
      }
    });
    request.on('end', () => resolve(body.whole()));
    request.on('error', reject);
  });
}

/**
 * Bytes of the body as its headers tell; 0 where they do not.
 * @throws RouterError `unsupported_media_type` or `body_too_large`
 */
export function announcedBytes(headers: ClientRequest['headers'], limitMb: number): number {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new RouterError(
      'unsupported_media_type',
      `Content-Encoding '${excerpt(encoding)}' is not supported; send the body uncompressed.`,
    );
  }
  const expected = Number(headers['content-length'] ?? 0);
  if (expected > limitMb * MB) throw tooLarge(limitMb);
  return expected;
}

/** A body that is there whole already. */
function measured(bytes: Buffer, share: BodyShare): ReceivedBody {
  const measure = new JsonMeasure();
  measure.push(bytes);
  share.charge(chargeOf(bytes.length, measure));
  return { bytes, tokens: measure.tokens, members: measure.members };
}

/** @param capacity bytes of memory that the body has */
function chargeOf(capacity: number, measure: JsonMeasure): number {
  const tokens = Math.min(measure.tokens, LIMITS.loopTokens); // of more, no tree is kept
  return capacity * LIMITS.chargePerByte + tokens * LIMITS.chargePerToken;
}

/** Bytes in one buffer that doubles: a chunk of one byte costs one byte. */
export class GrowingBody {
  length = 0;
  readonly #share: BodyShare;
  /** Bytes that will come at most. */
  readonly #most: number;
  readonly #measure = new JsonMeasure();
  #bytes = Buffer.alloc(0);

  constructor(share: BodyShare, most: number) {
    this.#share = share;
    this.#most = most;
  }

  push(chunk: Buffer): void {
    this.#measure.push(chunk);
    const needed = this.length + chunk.length;
    const capacity =
      needed <= this.#bytes.length
        ? this.#bytes.length
        : Math.max(needed, Math.min(this.#most, Math.max(2 * this.#bytes.length, FIRST_CAPACITY)));
    this.#share.charge(chargeOf(capacity, this.#measure));
    if (capacity > this.#bytes.length) {
      // A large one has memory of its own, which can move to another thread; a small one costs less from Node's pool.
      const grown =
        capacity < FIRST_CAPACITY ? Buffer.allocUnsafe(capacity) : Buffer.allocUnsafeSlow(capacity);
      this.#bytes.copy(grown, 0, 0, this.length);
      this.#bytes = grown;
    }
    chunk.copy(this.#bytes, this.length);
    this.length = needed;
  }

  whole(): ReceivedBody {
    const { tokens, members } = this.#measure;
    return { bytes: this.#bytes.subarray(0, this.length), tokens, members };
  }

  drop(): void {
    this.#bytes = Buffer.alloc(0);
    this.#share.release();
  }
}

export function tooLarge(limitMb: number): RouterError {
  return new RouterError(
    'body_too_large',
    `The request body is larger than the limit of ${limitMb} MB (max_body_mb in the config).`,
  );
}
