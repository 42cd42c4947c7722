/** Limits kept in Redis, within a deadline: a Redis that is slow or away is left alone for a moment, then asked again. */
import { Redis } from 'ioredis';
import { describeError } from '../../core/errors.ts';
import { DONE_KEPT, type Left, LIMITS, type Reservation, type Scope, type Verdict } from './ledger.ts';
import { LEDGER_SCRIPT } from './script.ts';
import type { LimitStore, Party } from './store.ts';

interface RedisOptions {
  /** `redis://…` or `rediss://…`. */
  readonly url: string;
  /** Milliseconds that a call may take. */
  readonly deadline: number;
  log(line: string): void;
}

type Operation = 'reserve' | 'extend' | 'settle';
type Scripted = Redis & { limits(keys: number, ...rest: (string | number)[]): Promise<number[]> };

/** Milliseconds in which a Redis that did not answer is not asked to reserve. */
const LEFT_ALONE_MS = 1000;
/** Ends that wait for Redis to come back; more than that are lost, and say so. */
const MOST_WAITING = 100_000;
/** Sent again together. */
const AT_ONCE = 100;
/** A connection on which nothing has come for so many deadlines is given up: its other end may be gone without a word. */
const DEADLINES_OF_SILENCE = 8;

interface Unsettled {
  readonly party: Party;
  readonly reservation: Reservation;
  /** When it was first sent, in milliseconds of this process; null where it surely never was. */
  sent: number | null;
}

export class RedisStore implements LimitStore {
  readonly #redis: Scripted;
  readonly #options: RedisOptions;
  readonly #unsettled = new Map<string, Unsettled>();
  readonly #timer: NodeJS.Timeout;
  #awayUntil = 0;
  #away = false;
  #lost = 0;
  #sendingAgain = false;

  constructor(options: RedisOptions) {
    this.#options = options;
    this.#redis = new Redis(options.url, {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      connectTimeout: Math.max(1000, options.deadline),
      socketTimeout: Math.max(1000, options.deadline * DEADLINES_OF_SILENCE),
      // One that was demoted takes no counts; the same address may lead to its successor by now.
      reconnectOnError: ({ message }) => message.startsWith('READONLY'),
      retryStrategy: (tries) => Math.min(100 * 2 ** Math.min(tries, 5), 2000),
      scripts: { limits: { lua: LEDGER_SCRIPT } },
    }) as Scripted;
    this.#redis.on('error', (error) => this.#failed(error));
    this.#timer = setInterval(() => void this.#sendAgain(), LEFT_ALONE_MS).unref();
  }

  /** Resolves once Redis answers. Rejects with its error, or when it does not in time. */
  async ready(ms: number): Promise<void> {
    const until = performance.now() + ms;
    for (;;) {
      try {
        await this.#inTime(this.#redis.ping());
        return;
      } catch (error) {
        if (performance.now() > until) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  async reserve(party: Party, reservation: Reservation): Promise<Verdict | null> {
    if (performance.now() < this.#awayUntil) return null;
    try {
      return verdictOf(await this.#run('reserve', party, reservation));
    } catch (error) {
      this.#failed(error);
      this.#awayUntil = performance.now() + LEFT_ALONE_MS;
      // It may be carried out all the same, so its end is told in any case.
      this.settle(party, { ...reservation, tokens: 0, money: 0 });
      return null;
    }
  }

  extend(party: Party, reservation: Reservation): void {
    if (performance.now() < this.#awayUntil) return;
    this.#run('extend', party, reservation).catch((error: unknown) => this.#failed(error));
  }

  settle(party: Party, reservation: Reservation): void {
    if (this.#unsettled.size >= MOST_WAITING) {
      this.#lost += 1;
      return;
    }
    const end: Unsettled = { party, reservation, sent: null };
    this.#unsettled.set(reservation.id, end);
    if (performance.now() >= this.#awayUntil) void this.#settle(end);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#unsettled.values()].map((end) => this.#settle(end)));
    this.#redis.disconnect();
  }

  async #settle(end: Unsettled): Promise<void> {
    const { party, reservation } = end;
    // Redis remembers an end for some lives of a reservation. What it may have taken before that is not told twice.
    if (end.sent !== null && performance.now() - end.sent > (DONE_KEPT * reservation.ttl) / 1000) {
      if (this.#unsettled.delete(reservation.id)) this.#lost += 1;
      return;
    }
    if (this.#redis.status === 'ready') end.sent ??= performance.now();
    try {
      await this.#run('settle', party, reservation);
      this.#unsettled.delete(reservation.id);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Ends that were not taken, until one is not again. */
  async #sendAgain(): Promise<void> {
    if (this.#lost > 0) this.#options.log(`limits: ${this.#lost} ends of requests were not charged`);
    this.#lost = 0;
    if (this.#sendingAgain) return;
    this.#sendingAgain = true;
    let left = this.#unsettled.size;
    while (left > 0) {
      await Promise.all([...this.#unsettled.values()].slice(0, AT_ONCE).map((end) => this.#settle(end)));
      left = this.#unsettled.size < left ? this.#unsettled.size : 0;
    }
    this.#sendingAgain = false;
  }

  async #run(operation: Operation, { tag, scopes }: Party, reservation: Reservation): Promise<number[]> {
    const { id, ttl, tokens, money } = reservation;
    const keys = keysOf(tag, scopes, id);
    const bounds = scopes.flatMap(boundsOf);
    const answer = await this.#inTime(
      this.#redis.limits(keys.length, ...keys, operation, id, ttl, tokens, money, '', ...bounds),
    );
    if (this.#away) this.#options.log('limits: Redis answers again');
    this.#away = false;
    return answer;
  }

  /** Rejects past the deadline. An answer that has come meanwhile is taken, however long this process was busy itself. */
  #inTime<T>(asked: Promise<T>): Promise<T> {
    return new Promise((done, failed) => {
      const late = new Error(`no answer within ${this.#options.deadline} ms`);
      const timer = setTimeout(() => setImmediate(failed, late), this.#options.deadline);
      asked.then(done, failed).finally(() => clearTimeout(timer));
    });
  }

  #failed(error: unknown): void {
    if (!this.#away) this.#options.log(`limits: Redis does not answer: ${describeError(error)}`);
    this.#away = true;
  }
}

export function keysOf(tag: string, scopes: readonly Scope[], id: string): readonly string[] {
  const base = `expert-router:{${tag}}`;
  const own = scopes.flatMap(({ name }) => [`${base}:account:${name}`, `${base}:open:${name}`]);
  return [`${base}:done:${id}`, ...own];
}

export function boundsOf({ bounds }: Scope): readonly number[] {
  return LIMITS.map((limit) => bounds[limit] ?? -1);
}

export function verdictOf([admitted, ...rest]: readonly number[]): Verdict {
  if (admitted === 0) return { admitted: false, scope: rest[0]!, limit: LIMITS[rest[1]!]!, wait: rest[2]! };
  const left: Left[] = [];
  for (let at = 0; at < rest.length; at += 4) {
    const [requests, requestsWait, tokens, tokensWait] = rest.slice(at, at + 4) as [
      number,
      number,
      number,
      number,
    ];
    left.push({
      requests: requests < 0 ? null : requests,
      requestsWait,
      tokens: tokens < 0 ? null : tokens,
      tokensWait,
    });
  }
  return { admitted: true, left };
}
