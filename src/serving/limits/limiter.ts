/** Admits the requests of keys with limits: how much one is expected to take, and what became of it. */
import { RouterError } from '../../core/errors.ts';
import { tokenCount } from '../../core/token-count.ts';
import type { Usage } from '../reply/reply.ts';
import { GpuRates } from './gpu-rates.ts';
import type { Amount, Bounds, Left, Limit, Reservation, Scope, Verdict } from './ledger.ts';
import { AnswerLengths } from './lengths.ts';
import { amountOf, type Price } from './price.ts';
import type { LimitStore, Party } from './store.ts';

export interface LimitedKey {
  readonly name: string;
  readonly team: string | null;
  readonly bounds: Bounds | null;
}

export interface LimiterParts {
  readonly store: LimitStore;
  /** Counts while the store is away, within this gateway's share; null to refuse then. */
  readonly standIn: LimitStore | null;
  readonly keys: readonly LimitedKey[];
  readonly teams: ReadonlyMap<string, Bounds>;
  readonly prices: ReadonlyMap<string, Price>;
  readonly clusters: number;
  /** Gateways that share the limits: each takes this part of them alone while the store is away. */
  readonly replicas: number;
  /** Milliseconds that a reservation lives without a sign of its gateway. */
  readonly lifeMs: number;
}

/** Of a request whose expert has been chosen. */
export interface Asked {
  /** Not used before. */
  readonly id: string;
  readonly expert: string;
  readonly cluster: number;
  readonly promptTokens: number;
  /** The client's limit of an answer, in tokens; null for none. */
  readonly answerLimit: number | null;
  /** Answers asked for. */
  readonly choices: number;
}

/** Answers to one request that are reserved for; no API gives more. */
const MOST_CHOICES = 128;
/** An answer that has used this share of what is held gets a step more. */
const NEARLY = 0.8;

export class Limiter {
  readonly #parts: LimiterParts;
  readonly #parties = new Map<string, Party>();
  readonly #open = new Set<Hold>();
  readonly #lengths: AnswerLengths;
  readonly #rates: GpuRates;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: LimiterParts) {
    this.#parts = parts;
    this.#lengths = new AnswerLengths(parts.clusters);
    this.#rates = new GpuRates(parts.prices);
    for (const key of parts.keys) {
      const party = partyOf(key, parts.teams);
      if (party) this.#parties.set(key.name, party);
    }
  }

  /** Whether requests of this key are counted. */
  limits(key: string): boolean {
    return this.#parties.has(key);
  }

  /** Whether the key has a budget, which an expert without a price cannot be held to. */
  needsPrice(key: string): boolean {
    return hasBudget(this.#parties.get(key));
  }

  hasPrice(expert: string): boolean {
    return this.#parts.prices.has(expert);
  }

  /**
   * Reserves what the request is expected to take. Rejects with RouterError `rate_limit_exceeded`,
   * `insufficient_quota` or `limits_unavailable`.
   */
  async admit(key: string, asked: Asked): Promise<Hold> {
    const party = this.#parties.get(key)!;
    const choices = Math.min(Math.max(1, asked.choices), MOST_CHOICES);
    const one = Math.min(
      asked.answerLimit ?? Number.POSITIVE_INFINITY,
      this.#lengths.expected(asked.cluster),
    );
    const output = one * choices;
    const price = this.#parts.prices.get(asked.expert) ?? null;
    const amount = amountOf({ inputTokens: asked.promptTokens, outputTokens: output }, price);
    const money = amount.money + this.#rates.expected(asked.expert, amount.tokens);
    const reservation = { id: asked.id, ttl: this.#parts.lifeMs * 1000, tokens: amount.tokens, money };
    const { store, verdict, among } = await this.#reserve(party, reservation);
    if (!verdict.admitted) throw refused(among, verdict);
    const hold = new Hold({
      store,
      party: among,
      reservation,
      asked,
      output,
      prices: this.#parts.prices,
      rates: this.#rates,
      left: tightest(verdict.left, among.scopes),
      ended: (tokens) => {
        this.#open.delete(hold);
        if (tokens !== null) this.#lengths.ended(asked.cluster, tokens / choices);
        if (this.#open.size === 0) this.#rest();
      },
    });
    this.#open.add(hold);
    this.#timer ??= setInterval(() => this.#prolong(), this.#parts.lifeMs / 3).unref();
    return hold;
  }

  async #reserve(party: Party, reservation: Reservation) {
    const { store, standIn, replicas } = this.#parts;
    const verdict = await store.reserve(party, reservation);
    if (verdict) return { store, verdict, among: party };
    const among = shareOf(party, replicas);
    // Money spent elsewhere is not known here.
    const local = hasBudget(party) ? null : ((await standIn?.reserve(among, reservation)) ?? null);
    if (local && standIn) return { store: standIn, verdict: local, among };
    throw new RouterError(
      'limits_unavailable',
      'The limits of this API key cannot be checked now: their store does not answer. Try again in a moment.',
      { retryAfter: 2 },
    );
  }

  #prolong(): void {
    for (const hold of this.#open) hold.prolong();
  }

  #rest(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }
}

interface HoldParts {
  readonly store: LimitStore;
  readonly party: Party;
  readonly reservation: Reservation;
  readonly asked: Asked;
  /** Tokens of the answer that are held at first. */
  readonly output: number;
  readonly prices: ReadonlyMap<string, Price>;
  readonly rates: GpuRates;
  readonly left: Tightest;
  /** @param tokens of the answer; null where it did not come to its end */
  ended(tokens: number | null): void;
}

/** What one request holds, until it ends. */
export class Hold {
  readonly left: Tightest;
  readonly #parts: HoldParts;
  #output: number;
  #produced = 0;
  #expert: string;
  #gpuUsd = (): number => 0;
  #over = false;

  constructor(parts: HoldParts) {
    this.#parts = parts;
    this.left = parts.left;
    this.#output = parts.output;
    this.#expert = parts.asked.expert;
  }

  served(expert: string): void {
    this.#expert = expert;
  }

  /** @param usd what GPUs have cost so far, in dollars */
  costs(usd: () => number): void {
    this.#gpuUsd = usd;
  }

  /** So many tokens more have been passed on. What is longer than expected holds more, in steps. */
  produced(tokens: number): void {
    this.#produced += tokens;
    if (this.#produced < this.#output * NEARLY) return;
    this.#output = Math.ceil(this.#produced * 1.5) + 64;
    this.prolong();
  }

  prolong(): void {
    if (this.#over) return;
    const { store, party, reservation, rates } = this.#parts;
    const amount = this.#amount(this.#output);
    const gpus = Math.max(rates.expected(this.#expert, amount.tokens), micro(this.#gpuUsd()));
    store.extend(party, { ...reservation, tokens: amount.tokens, money: amount.money + gpus });
  }

  /** The answer is whole. */
  ended(usage: Usage | 'unknown'): void {
    if (usage !== 'unknown' && isCounted(usage))
      this.#settle(amountOf(usage, this.#price()), usage.outputTokens);
    else this.#settle(this.#amount(this.#produced || this.#output), null);
  }

  /** It is not: what was passed on counts, and its prompt with it; a request of which nothing was passed on is free. */
  brokenOff(): void {
    if (this.#produced === 0) this.#settle({ tokens: 0, money: 0 }, null, 0);
    else this.#settle(this.#amount(this.#produced), null);
  }

  /** The client left: the expert was at work, so that the prompt counts in any case. */
  abandoned(): void {
    this.#settle(this.#amount(this.#produced), null);
  }

  /** @param tokens of the whole answer; null where it did not come to its end */
  #settle(amount: Amount, tokens: number | null, gpus = micro(this.#gpuUsd())): void {
    if (this.#over) return;
    this.#over = true;
    const { store, party, reservation, rates, ended } = this.#parts;
    store.settle(party, { ...reservation, tokens: amount.tokens, money: amount.money + gpus });
    if (tokens !== null) rates.ended(this.#expert, amount.tokens, gpus);
    ended(tokens);
  }

  #amount(outputTokens: number): Amount {
    return amountOf({ inputTokens: this.#parts.asked.promptTokens, outputTokens }, this.#price());
  }

  #price(): Price | null {
    return this.#parts.prices.get(this.#expert) ?? null;
  }
}

/** An expert of any kind may tell anything: no count of its own making gets into an account. */
const isCounted = ({ inputTokens, outputTokens, cachedTokens = 0 }: Usage): boolean =>
  [inputTokens, outputTokens, cachedTokens].every((count) => tokenCount(count) !== null);

/** Millionths of a dollar. */
const micro = (usd: number): number => Math.ceil(usd * 1e6);

function partyOf({ name, team, bounds }: LimitedKey, teams: ReadonlyMap<string, Bounds>): Party | null {
  const scopes: Scope[] = bounds ? [{ name: `key:${name}`, bounds }] : [];
  const shared = team === null ? undefined : teams.get(team);
  if (shared) scopes.push({ name: `team:${team}`, bounds: shared });
  if (scopes.length === 0) return null;
  return { tag: tagOf(team === null ? `key:${name}` : `team:${team}`), scopes };
}

/** Braces would end the tag early. */
const tagOf = (text: string): string => encodeURIComponent(text);

function hasBudget(party: Party | undefined): boolean {
  return party?.scopes.some(({ bounds }) => bounds.day !== null || bounds.month !== null) ?? false;
}

function shareOf({ tag, scopes }: Party, replicas: number): Party {
  const part = (limit: number | null): number | null =>
    limit === null ? null : Math.max(1, Math.floor(limit / replicas));
  return {
    tag,
    scopes: scopes.map(({ name, bounds }) => ({
      name,
      bounds: {
        ...bounds,
        requests: part(bounds.requests),
        tokens: part(bounds.tokens),
        concurrent: part(bounds.concurrent),
      },
    })),
  };
}

export interface Quota {
  readonly limit: number;
  readonly remaining: number;
  /** Microseconds until all of it is there again. */
  readonly wait: number;
}

/** Of the key and its team, whichever has less left. */
export interface Tightest {
  readonly requests: Quota | null;
  readonly tokens: Quota | null;
}

function tightest(left: readonly Left[], scopes: readonly Scope[]): Tightest {
  const least = (of: 'requests' | 'tokens'): Quota | null => {
    const all = left.flatMap((one, index): Quota[] => {
      const [limit, remaining] = [scopes[index]!.bounds[of], one[of]];
      return limit === null || remaining === null ? [] : [{ limit, remaining, wait: one[`${of}Wait`] }];
    });
    return all.toSorted((a, b) => a.remaining - b.remaining)[0] ?? null;
  };
  return { requests: least('requests'), tokens: least('tokens') };
}

const WORDS: Readonly<Record<Limit, (bounds: Bounds) => string>> = {
  requests: ({ requests }) => `${requests} requests a minute`,
  tokens: ({ tokens }) => `${tokens} tokens a minute`,
  concurrent: ({ concurrent }) => `${concurrent} requests at once`,
  day: ({ day }) => `$${day! / 1e6} a day`,
  month: ({ month }) => `$${month! / 1e6} a month`,
};

function refused(
  { scopes }: Party,
  { scope, limit, wait }: Extract<Verdict, { admitted: false }>,
): RouterError {
  const { name, bounds } = scopes[scope]!;
  const whose = name.startsWith('team:') ? "This API key's team" : 'This API key';
  const words = WORDS[limit](bounds);
  if (wait < 0)
    return new RouterError(
      'rate_limit_exceeded',
      `${whose} may use ${words}, and this request alone would take more: shorten it, or ask for fewer tokens.`,
    );
  const retryAfter = Math.max(1, Math.ceil(wait / 1e6));
  const isMoney = limit === 'day' || limit === 'month';
  return new RouterError(
    isMoney ? 'insufficient_quota' : 'rate_limit_exceeded',
    isMoney
      ? `${whose} may spend ${words}, which is used up or reserved by requests under way.`
      : `${whose} may make ${words}, and has; try again in ${retryAfter} s.`.replace(
          'make',
          limit === 'tokens' ? 'use' : 'make',
        ),
    { retryAfter },
  );
}
