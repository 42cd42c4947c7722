/**
 * The arithmetic of limits, in memory: reserve what a request is expected to take, settle what it took. The script in
 * script.ts does the same inside Redis; a property test holds the two to one another.
 *
 * A rate is GCRA over what was settled: `tat` is the time at which a bucket would be full again. What is reserved is held
 * beside it and never charged, so nothing has to be given back into a bucket that refilled meanwhile, and what is settled
 * within any window stays within a full bucket and its refill.
 */

/** Of one key or team; null for what is not limited. */
export interface Bounds {
  /** Per minute. */
  readonly requests: number | null;
  /** Per minute, of prompts and answers together. */
  readonly tokens: number | null;
  /** At once. */
  readonly concurrent: number | null;
  /** Millionths of a dollar in a day and in a month, both of UTC. */
  readonly day: number | null;
  readonly month: number | null;
}

export interface Scope {
  readonly name: string;
  readonly bounds: Bounds;
}

/** What a request is expected to take, or took. */
export interface Amount {
  readonly tokens: number;
  /** Millionths of a dollar. */
  readonly money: number;
}

export interface Reservation extends Amount {
  readonly id: string;
  /** Microseconds until it ends by itself. */
  readonly ttl: number;
}

export const LIMITS = ['requests', 'tokens', 'concurrent', 'day', 'month'] as const;
export type Limit = (typeof LIMITS)[number];

/** What is left of one scope; null where it is not limited. `…Wait`: microseconds until all of it is there again. */
export interface Left {
  readonly requests: number | null;
  readonly requestsWait: number;
  readonly tokens: number | null;
  readonly tokensWait: number;
}

export type Verdict =
  | { readonly admitted: true; readonly left: readonly Left[] }
  | {
      readonly admitted: false;
      /** Position of the scope that refuses. */
      readonly scope: number;
      readonly limit: Limit;
      /** Microseconds; -1 where the request alone is more than the limit. */
      readonly wait: number;
    };

interface Account {
  /** When it was last looked at. */
  seen: number;
  requestTat: number;
  tokenTat: number;
  day: number;
  daySpent: number;
  month: number;
  monthSpent: number;
  /** Not in what is saved: they end with the process that holds them. */
  readonly open: Map<string, Amount & { deadline: number }>;
  held: { tokens: number; money: number };
}

/** What of an account outlives a process. */
export type Saved = Pick<
  Account,
  'seen' | 'requestTat' | 'tokenTat' | 'day' | 'daySpent' | 'month' | 'monthSpent'
>;

export const MINUTE = 60e6;
const DAY = 86_400e6;
/** A slot is freed at any time. */
const CONCURRENT_WAIT = 1e6;

export class Ledger {
  readonly #accounts = new Map<string, Account>();
  /** Ended, until their time is over: settling twice charges once. Oldest first. */
  readonly #done = new Map<string, number>();

  /** @param now microseconds since 1970 */
  reserve(scopes: readonly Scope[], { id, ttl, tokens, money }: Reservation, now: number): Verdict {
    const accounts = scopes.map(({ name }) => this.#account(name, now));
    for (const [scope, account] of accounts.entries()) {
      const refused = refusal(account, scopes[scope]!.bounds, { tokens, money }, now);
      if (refused) return { admitted: false, scope, ...refused };
    }
    accounts.forEach((account, index) => {
      const { requests } = scopes[index]!.bounds;
      if (requests !== null) account.requestTat = Math.max(account.requestTat, now) + MINUTE / requests;
      hold(account, id, { tokens, money, deadline: now + ttl });
    });
    return {
      admitted: true,
      left: accounts.map((account, index) => leftOf(account, scopes[index]!.bounds, now)),
    };
  }

  /** Holds another amount from now on, refused or not: the request runs. Also prolongs it. */
  extend(scopes: readonly Scope[], { id, ttl, tokens, money }: Reservation, now: number): void {
    if (this.#done.has(id)) return;
    for (const { name } of scopes) hold(this.#account(name, now), id, { tokens, money, deadline: now + ttl });
  }

  /** Ends a reservation, and charges what was taken. @returns false where that was done before */
  settle(scopes: readonly Scope[], { id, ttl, tokens, money }: Reservation, now: number): boolean {
    this.#forget(now);
    if (this.#done.has(id)) return false;
    this.#done.set(id, now + DONE_KEPT * ttl);
    for (const { name, bounds } of scopes) {
      const account = this.#account(name, now);
      release(account, id);
      if (bounds.tokens !== null)
        account.tokenTat = Math.max(account.tokenTat, now) + (tokens * MINUTE) / bounds.tokens;
      account.daySpent += money;
      account.monthSpent += money;
    }
    return true;
  }

  /** The clock was set by so many microseconds: what was noted by it stays as far away as it was. */
  clockSet(by: number): void {
    for (const account of this.#accounts.values()) move(account, by);
    for (const [id, until] of this.#done) this.#done.set(id, until + by);
  }

  /** Reservations that are open, of all scopes. */
  open(now: number): number {
    let count = 0;
    for (const name of this.#accounts.keys()) count += this.#account(name, now).open.size;
    return count;
  }

  names(): readonly string[] {
    return [...this.#accounts.keys()];
  }

  /** Of an account that there is. */
  saved(name: string): Saved {
    const { open: _open, held: _held, ...saved } = this.#accounts.get(name)!;
    return saved;
  }

  /** As it was saved; by a clock that was ahead then, it counts from that time. */
  restore(name: string, saved: Saved): void {
    this.#accounts.set(name, { ...newAccount(), ...saved });
  }

  /** As it is now: what has expired is gone, and a new day has begun with nothing spent. */
  #account(name: string, now: number): Account {
    let account = this.#accounts.get(name);
    if (!account) {
      account = newAccount();
      this.#accounts.set(name, account);
    }
    if (now < account.seen) move(account, now - account.seen);
    account.seen = now;
    for (const [id, { deadline }] of account.open) if (deadline <= now) release(account, id);
    const day = Math.floor(now / DAY);
    const month = monthOf(day);
    if (day !== account.day) Object.assign(account, { day, daySpent: 0 });
    if (month !== account.month) Object.assign(account, { month, monthSpent: 0 });
    return account;
  }

  #forget(now: number): void {
    for (const [id, until] of this.#done) {
      if (until > now) return;
      this.#done.delete(id);
    }
  }
}

/** How many lives of a reservation its end is remembered. */
export const DONE_KEPT = 10;

function newAccount(): Account {
  return {
    seen: 0,
    requestTat: 0,
    tokenTat: 0,
    day: 0,
    daySpent: 0,
    month: 0,
    monthSpent: 0,
    open: new Map(),
    held: { tokens: 0, money: 0 },
  };
}

/** What is to come is as far away by a clock that was set as it was before. */
function move(account: Account, by: number): void {
  account.seen += by;
  account.requestTat += by;
  account.tokenTat += by;
  for (const reservation of account.open.values()) reservation.deadline += by;
}

function hold(account: Account, id: string, amount: Amount & { deadline: number }): void {
  release(account, id);
  account.open.set(id, amount);
  account.held.tokens += amount.tokens;
  account.held.money += amount.money;
}

function release(account: Account, id: string): void {
  const held = account.open.get(id);
  if (!held) return;
  account.open.delete(id);
  account.held.tokens -= held.tokens;
  account.held.money -= held.money;
}

function refusal(
  account: Account,
  bounds: Bounds,
  { tokens, money }: Amount,
  now: number,
): { readonly limit: Limit; readonly wait: number } | null {
  const { held, open } = account;
  if (bounds.concurrent !== null && open.size >= bounds.concurrent)
    return { limit: 'concurrent', wait: CONCURRENT_WAIT };
  if (bounds.requests !== null) {
    const wait = Math.max(account.requestTat, now) + MINUTE / bounds.requests - MINUTE - now;
    if (wait > 0) return { limit: 'requests', wait };
  }
  if (bounds.tokens !== null) {
    if (tokens > bounds.tokens) return { limit: 'tokens', wait: -1 };
    const wait =
      Math.max(account.tokenTat, now) + ((held.tokens + tokens) * MINUTE) / bounds.tokens - MINUTE - now;
    if (wait > 0) return { limit: 'tokens', wait };
  }
  const day = Math.floor(now / DAY);
  if (bounds.day !== null && account.daySpent + held.money + money > bounds.day)
    return { limit: 'day', wait: (day + 1) * DAY - now };
  if (bounds.month !== null && account.monthSpent + held.money + money > bounds.month)
    return { limit: 'month', wait: nextMonth(day) * DAY - now };
  return null;
}

function leftOf({ requestTat, tokenTat, held }: Account, { requests, tokens }: Bounds, now: number): Left {
  const used = (tat: number): number => Math.max(tat, now) - now;
  const left = (limit: number, tat: number, more: number): number =>
    Math.max(0, Math.floor(limit - (used(tat) * limit) / MINUTE - more + 1e-6));
  return {
    requests: requests === null ? null : left(requests, requestTat, 0),
    requestsWait: requests === null ? 0 : Math.floor(used(requestTat)),
    tokens: tokens === null ? null : left(tokens, tokenTat, held.tokens),
    tokensWait: tokens === null ? 0 : Math.floor(used(tokenTat)),
  };
}

/** Months since year 0 of a day since 1970 (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
export function monthOf(day: number): number {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const ofEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * ofYear + 2) / 153);
  return (yearOfEra + era * 400) * 12 + fromMarch + 2;
}

/** The day on which the next month begins. */
function nextMonth(day: number): number {
  let next = day + 1;
  while (monthOf(next) === monthOf(day)) next += 1;
  return next;
}
