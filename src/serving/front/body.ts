/** Reads a request body whole, up to limits that its errors name. */
import { LIMITS } from '../../core/bounds.ts';
import { RouterError } from '../../core/errors.ts';
import { excerpt } from '../../core/excerpt.ts';
import { JsonMeasure } from '../../core/json-measure.ts';
import type { ReceivedBody } from '../gateway/read-request.ts';
import { type BodyBudget, type BodyShare, PROCESS_BUDGET } from './body-budget.ts';
import type { ClientRequest, ClientResponse } from './exchange.ts';
import { type Coding, codingOf, inflated } from './inflate.ts';

const MB = 1024 * 1024;
const FIRST_CAPACITY = 4_096;

interface Exchanged {
  readonly request: ClientRequest;
  readonly response: ClientResponse;
}

/**
 * Inflated where it is compressed, without a byte order mark. Its memory counts against the budget until the response is
 * closed; the limit holds for what it inflates to.
 * @throws RouterError `body_too_large`, `invalid_body`, `overloaded` or `unsupported_media_type`; never resolves if the
 *   client leaves meanwhile
 */
export function readBody(
  exchange: Exchanged,
  limitMb: number,
  budget: BodyBudget = PROCESS_BUDGET,
): ReceivedBody | Promise<ReceivedBody> {
  const coding = codingOf(exchange.request.headers['content-encoding']);
  if (coding !== null) return readCoded(exchange, coding, limitMb, budget);
  const received = gathered(exchange, limitMb, budget, new JsonMeasure());
  return received instanceof Promise ? received.then(withoutMark) : withoutMark(received);
}

async function readCoded(
  exchange: Exchanged,
  coding: Coding,
  limitMb: number,
  budget: BodyBudget,
): Promise<ReceivedBody> {
  const limit = limitMb * MB;
  const packed = await gathered(exchange, limitMb, budget, UNMEASURED);
  const share = budget.share();
  exchange.response.once('close', share.release);
  const body = new GrowingBody(share, limit, new JsonMeasure());
  for await (const piece of inflated(coding, packed.bytes)) {
    if (body.length + piece.length > limit) throw tooLarge(limitMb, ' once inflated');
    body.push(piece);
  }
  return withoutMark(body.whole());
}

type Measure = Pick<JsonMeasure, 'push' | 'tokens' | 'members'>;

const UNMEASURED: Measure = { push: () => {}, tokens: 0, members: [] };

/** A body that is no JSON; compressed ones are refused. @throws RouterError as `readBody` does */
export async function readForm(exchange: Exchanged, limitMb: number): Promise<Buffer> {
  if (codingOf(exchange.request.headers['content-encoding']) !== null)
    throw new RouterError('unsupported_media_type', 'A form may not be compressed; send it as it is.');
  return (await gathered(exchange, limitMb, PROCESS_BUDGET, UNMEASURED)).bytes;
}

/** The body as it was sent. */
function gathered(
  { request, response }: Exchanged,
  limitMb: number,
  budget: BodyBudget,
  measure: Measure,
): ReceivedBody | Promise<ReceivedBody> {
  const expected = expectedBytes(request.headers, limitMb);
  const limit = limitMb * MB;
  const share = budget.share();
  response.once('close', share.release);
  if (request.whole) return measured(request.whole, share, measure);
  return new Promise((resolve, reject) => {
    const body = new GrowingBody(share, expected || limit, measure, expected > 0 ? 4 : 2);
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
  return expectedBytes(headers, limitMb);
}

function expectedBytes(headers: ClientRequest['headers'], limitMb: number): number {
  const expected = Number(headers['content-length'] ?? 0);
  if (expected > limitMb * MB) throw tooLarge(limitMb);
  return expected;
}

/** A body that is there whole already. */
function measured(bytes: Buffer, share: BodyShare, measure: Measure): ReceivedBody {
  measure.push(bytes);
  share.charge(chargeOf(bytes.length, measure));
  return { bytes, tokens: measure.tokens, members: measure.members };
}

/** @param capacity bytes of memory that the body has */
function chargeOf(capacity: number, measure: Measure): number {
  const tokens = Math.min(measure.tokens, LIMITS.loopTokens); // of more, no tree is kept
  return capacity * LIMITS.chargePerByte + tokens * LIMITS.chargePerToken;
}

/** Bytes in one buffer that grows by a factor: a chunk of one byte costs one byte. */
export class GrowingBody {
  length = 0;
  readonly #share: BodyShare;
  /** Bytes that will come at most. */
  readonly #most: number;
  readonly #measure: Measure;
  readonly #factor: number;
  #bytes = Buffer.alloc(0);

  /** @param factor the larger, the less of a large body is copied in one go, and the more memory may stay unused */
  constructor(share: BodyShare, most: number, measure: Measure = new JsonMeasure(), factor = 2) {
    this.#measure = measure;
    this.#factor = factor;
    this.#share = share;
    this.#most = most;
  }

  push(chunk: Uint8Array): void {
    this.#measure.push(chunk);
    const needed = this.length + chunk.length;
    const capacity =
      needed <= this.#bytes.length
        ? this.#bytes.length
        : Math.max(needed, Math.min(this.#most, Math.max(this.#factor * this.#bytes.length, FIRST_CAPACITY)));
    this.#share.charge(chargeOf(capacity, this.#measure));
    if (capacity > this.#bytes.length) {
      // A large one has memory of its own, which can move to another thread; a small one costs less from Node's pool.
      const grown =
        capacity < FIRST_CAPACITY ? Buffer.allocUnsafe(capacity) : Buffer.allocUnsafeSlow(capacity);
      this.#bytes.copy(grown, 0, 0, this.length);
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.length);
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

const MARK = Buffer.from('\ufeff');

/** A byte order mark, which some programs write before UTF-8, is no part of the JSON (RFC 8259, section 8.1). */
function withoutMark(body: ReceivedBody): ReceivedBody {
  const { bytes, tokens, members } = body;
  if (bytes[0] !== MARK[0] || !bytes.subarray(0, MARK.length).equals(MARK)) return body;
  return {
    bytes: bytes.subarray(MARK.length),
    tokens,
    members: members.map(({ keyStart, keyEnd, valueStart, valueEnd }) => ({
      keyStart: keyStart - MARK.length,
      keyEnd: keyEnd - MARK.length,
      valueStart: valueStart - MARK.length,
      valueEnd: valueEnd - MARK.length,
    })),
  };
}

export function tooLarge(limitMb: number, when = ''): RouterError {
  return new RouterError(
    'body_too_large',
    `The request body is larger than the limit of ${limitMb} MB${when} (max_body_mb in the config).`,
  );
}
