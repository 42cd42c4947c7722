/**
 * Shares out the places of every replica among worker processes, so that N workers together admit at most the limit.
 * A place is with the ledger or with exactly one worker. Pure bookkeeping; messages are somebody else's.
 */

type Worker = number;

interface Account {
  free: number;
  readonly granted: Map<Worker, number>;
  /** Workers that asked in vain, in their order, with what they asked for. */
  readonly wanting: Map<Worker, number>;
}

export interface Grant {
  readonly worker: Worker;
  readonly key: string;
  readonly places: number;
}

export class SlotLedger {
  readonly #accounts = new Map<string, Account>();

  /** Places with the ledger and with the workers; their sum never changes. */
  total(key: string): number {
    const account = this.#accounts.get(key)!;
    return account.free + [...account.granted.values()].reduce((sum, places) => sum + places, 0);
  }

  /**
   * Gives up to `places` out; null if there are none, and then the worker is next when some come back.
   * @param limit all places of this replica; what the first worker to ask says of it holds
   */
  want(worker: Worker, key: string, places: number, limit: number): Grant | null {
    const account = this.#account(key, limit);
    const given = Math.min(places, account.free);
    if (given === 0) {
      account.wanting.set(worker, places);
      return null;
    }
    this.#move(account, worker, given);
    return { worker, key, places: given };
  }

  #account(key: string, limit: number): Account {
    const known = this.#accounts.get(key);
    if (known) return known;
    const fresh: Account = { free: limit, granted: new Map(), wanting: new Map() };
    this.#accounts.set(key, fresh);
    return fresh;
  }

  /** Whether some worker still waits for a place. */
  isWanted(key: string): boolean {
    return (this.#accounts.get(key)?.wanting.size ?? 0) > 0;
  }

  /** Workers that hold places another is waiting for. */
  holders(key: string, except: Worker): readonly Worker[] {
    const account = this.#accounts.get(key);
    return account
      ? [...account.granted]
          .filter(([worker, places]) => worker !== except && places > 0)
          .map(([worker]) => worker)
      : [];
  }

  /** Takes places back and gives them to whoever is waiting. */
  giveBack(worker: Worker, key: string, places: number): readonly Grant[] {
    const account = this.#accounts.get(key);
    if (!account) return [];
    this.#move(account, worker, -Math.min(places, account.granted.get(worker) ?? 0));
    return this.#serveWanting(account, key);
  }

  /** A worker is gone, and with it its requests: all it held is free again. */
  gone(worker: Worker): readonly Grant[] {
    return [...this.#accounts].flatMap(([key, account]) => {
      account.wanting.delete(worker);
      return this.giveBack(worker, key, account.granted.get(worker) ?? 0);
    });
  }

  #serveWanting(account: Account, key: string): readonly Grant[] {
    const grants: Grant[] = [];
    for (const [worker, wanted] of [...account.wanting]) {
      // One each while places are short, so that nobody waits for another's appetite.
      const places = Math.min(
        wanted,
        Math.max(1, Math.floor(account.free / account.wanting.size)),
        account.free,
      );
      if (places === 0) break;
      account.wanting.delete(worker);
      this.#move(account, worker, places);
      grants.push({ worker, key, places });
    }
    return grants;
  }

  #move(account: Account, worker: Worker, places: number): void {
    account.free -= places;
    account.granted.set(worker, (account.granted.get(worker) ?? 0) + places);
  }
}
