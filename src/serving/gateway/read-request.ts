/**
 * A body that came in → what it asks, without keeping the event loop from others: what would take long is parsed by a
 * thread beside it, one body after another.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { LIMITS } from '../../core/bounds.ts';
import { type ErrorCode, RouterError } from '../../core/errors.ts';
import { JsonMeasure, type MemberPlace } from '../../core/json-measure.ts';
import type { Ask, RoutingFacts, Wanted } from '../dialects/ask.ts';
import type { Dialect, Json, JsonBody } from '../dialects/dialect.ts';
import { dialectNamed, dialectOf, readAsk } from '../dialects/index.ts';
import { parseBody } from '../dialects/json.ts';
import { inputsOf } from './fitting.ts';

export interface ReceivedBody {
  readonly bytes: Buffer;
  /** Opening brackets, commas and colons outside of strings. */
  readonly tokens: number;
  readonly members: readonly MemberPlace[];
}

/**
 * A body that is there whole, as one that came in.
 * @throws RouterError `invalid_body` or `body_too_large`, naming the limit passed
 */
export function received(body: string | Uint8Array): ReceivedBody {
  const given = typeof body === 'string' ? Buffer.from(body) : body;
  // A copy with memory of its own, which can move to another thread.
  const bytes = Buffer.allocUnsafeSlow(given.length);
  bytes.set(given);
  const measure = new JsonMeasure();
  measure.push(bytes);
  return { bytes, tokens: measure.tokens, members: measure.members };
}

/**
 * @param dialect null where the body's fields tell it
 * @returns a promise only where a thread reads it
 * @throws RouterError, or rejects with one: `invalid_json`, `invalid_body`, `body_too_large` or `overloaded`
 */
export function readRequest(dialect: Dialect | null, body: ReceivedBody): Ask | Promise<Ask> {
  return parsesOnLoop(body) ? readAsk(dialect, body.bytes, body.members) : readBeside(dialect, body);
}

async function readBeside(dialect: Dialect | null, { bytes, tokens, members }: ReceivedBody): Promise<Ask> {
  const {
    dialect: id,
    facts,
    body: read,
  } = await parsing.parse({ dialect: dialect?.id ?? null, bytes, tokens });
  // The result has just been copied out of the thread: others get a turn before the body is copied for an expert.
  await nextTurn();
  return dialectNamed(id).ask(facts, { ...read, members });
}

/** A body as the thread has read it. */
interface ReadBody {
  readonly dialect: string;
  readonly facts: RoutingFacts;
  readonly body: JsonBody;
}

export function parsesOnLoop({ bytes, tokens }: Pick<ReceivedBody, 'bytes' | 'tokens'>): boolean {
  return bytes.length <= LIMITS.loopBytes && tokens <= LIMITS.loopTokens;
}

/** A body for the thread. */
export interface Order {
  /** Null where the body's fields tell it. */
  readonly dialect: string | null;
  readonly bytes: Uint8Array;
  readonly tokens: number;
}

/** Either what was read, with the bytes beside it, or why there is none. */
export type Reading =
  | {
      readonly dialect: string;
      readonly facts: RoutingFacts;
      readonly json: Json;
      readonly partial: boolean;
      readonly wanted: Wanted | null;
      readonly bytes: Uint8Array;
      /** Of the dialect's making; null where it would be the same. */
      readonly prepared: Uint8Array | null;
    }
  | { readonly error: { readonly code: ErrorCode; readonly message: string; readonly param: string | null } };

/** What the thread does. Of very many values only what routing reads is kept. */
export function parseOrder({ dialect: id, bytes, tokens }: Order): Reading {
  try {
    const body = asBuffer(bytes);
    const json = parseBody(body);
    const dialect = id === null ? dialectOf(json) : dialectNamed(id);
    const facts = dialect.facts(json);
    const partial = tokens > LIMITS.loopTokens;
    const prepared = dialect.prepare(body);
    return {
      dialect: dialect.id,
      facts,
      json: partial ? dialect.keep(json) : json,
      partial,
      wanted: partial ? wantedIn(dialect.ask(facts, { bytes: body, json, partial: false })) : null,
      bytes,
      prepared: prepared === body ? null : prepared,
    };
  } catch (error) {
    if (!(error instanceof RouterError)) throw error;
    const { code, message, param } = error;
    return { error: { code, message, param } };
  }
}

/** Null where an expert that translates could not read it. */
function wantedIn(ask: Ask): Wanted | null {
  if (ask.dialect.writer === null) return null;
  try {
    return { inputs: inputsOf(ask), demands: ask.demands(), wishes: ask.wishes() };
  } catch (error) {
    if (error instanceof RouterError) return null;
    throw error;
  }
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

interface Waiting {
  readonly order: Order;
  readonly resolve: (read: ReadBody) => void;
  readonly reject: (error: unknown) => void;
}

/** Milliseconds without work after which the thread ends. */
const IDLE_MS = 30_000;

/** One thread with a heap of its own, started when first needed: a body it cannot hold ends it and nothing else. */
class ParsingThread {
  readonly #waiting: Waiting[] = [];
  #running: Waiting | null = null;
  #thread: Worker | null = null;
  #idle: NodeJS.Timeout | undefined;

  parse(order: Order): Promise<ReadBody> {
    if (this.#waiting.length >= LIMITS.waitingToParse)
      throw new RouterError('overloaded', 'Too many large requests wait to be read; try again in a moment.', {
        retryAfter: 1,
      });
    return new Promise((resolve, reject) => {
      this.#waiting.push({ order, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    if (this.#running !== null) return;
    clearTimeout(this.#idle);
    this.#running = this.#waiting.shift() ?? null;
    if (this.#running === null) {
      this.#idle = setTimeout(() => this.#end(), IDLE_MS).unref();
      return;
    }
    const { order } = this.#running;
    this.#thread ??= this.#start();
    this.#thread.postMessage(order, [order.bytes.buffer as ArrayBuffer]);
  }

  #start(): Worker {
    const thread = new Worker(threadFile(), {
      resourceLimits: { maxOldGenerationSizeMb: LIMITS.threadHeapMb },
    });
    const mine = (act: () => void) => () => {
      if (this.#thread === thread) act();
    };
    thread.on('message', (reading: Reading) => mine(() => this.#settle(reading))());
    thread.on('error', (error: NodeJS.ErrnoException) => mine(() => this.#died(error))());
    thread.unref();
    return thread;
  }

  #settle(reading: Reading): void {
    const { resolve, reject } = this.#running!;
    this.#running = null;
    if ('error' in reading) {
      const { code, message, param } = reading.error;
      reject(new RouterError(code, message, param === null ? {} : { param }));
    } else {
      const { dialect, facts, json, partial, wanted } = reading;
      const bytes = asBuffer(reading.bytes);
      const prepared = reading.prepared === null ? bytes : asBuffer(reading.prepared);
      resolve({ dialect, facts, body: { bytes, json, partial, prepared, ...(wanted ? { wanted } : {}) } });
    }
    this.#next();
  }

  #died(error: NodeJS.ErrnoException): void {
    const waiting = this.#running;
    this.#running = null;
    this.#thread = null;
    waiting?.reject(
      error.code === 'ERR_WORKER_OUT_OF_MEMORY'
        ? new RouterError(
            'body_too_large',
            `The request body takes more than ${LIMITS.threadHeapMb} MB to parse; send fewer values.`,
          )
        : error,
    );
    this.#next();
  }

  #end(): void {
    void this.#thread?.terminate();
    this.#thread = null;
  }
}

/** From source (in tests) the compiled thread beside it serves: threads need compiled code. */
function threadFile(): URL {
  const here = import.meta.url.replace(/\/src\/(?=serving\/gateway\/[^/]+\.ts$)/, '/dist/');
  return new URL('./parsing-thread.js', here);
}

const parsing = new ParsingThread();
