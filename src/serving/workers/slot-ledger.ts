/**
 * Shares out the slots of every replica among worker processes, so that N workers together admit at most the limit.
 * A slot is with the ledger or with exactly one worker. Pure bookkeeping; messages are somebody else's.
 */

type Worker = number;

interface Account {
  /** All slots of the replica, as a worker last said. */
  limit: number;
  readonly granted: Map<Worker, number>;
  /** Workers that asked in vain, in their order, with what they asked for. */
  readonly wanting: Map<Worker, number>;
}

export interface Grant {
  readonly worker: Worker;
  readonly key: string;
  readonly slots: number;
}

export class SlotLedger {
  readonly #accounts = new Map<string, Account>();

  /**
   * Gives up to `slots` out; null if there are none, and then the worker is next when some come back.
   * @param limit all slots of this replica; a lower one than before takes effect as slots come back
   */
  want(worker: Worker, key: string, slots: number, limit: number): Grant | null {
    const account = this.#account(key, limit);
    account.limit = limit;
    const given = Math.min(slots, free(account));
    if (given <= 0) {
      account.wanting.set(worker, slots);
      return null;
    }
    grant(account, worker, given);
    return { worker, key, slots: given };
  }

  #account(key: string, limit: number): Account {
    const known = this.#accounts.get(key);
    if (known) return known;
    const fresh: Account = { limit, granted: new Map(), wanting: new Map() };
    this.#accounts.set(key, fresh);
    return fresh;
  }

  /** Whether some worker still waits for a slot. */
  isWanted(key: string): boolean {
    return (this.#accounts.get(key)?.wanting.size ?? 0) > 0;
  }

  /** Workers that hold slots another is waiting for. */
  holders(key: string, except: Worker): readonly Worker[] {
    const account = this.#accounts.get(key);
    return account
      ? [...account.granted]
          .filter(([worker, slots]) => worker !== except && slots > 0)
          .map(([worker]) => worker)
      : [];
  }

  /** Takes slots back and gives them to whoever is waiting. */
  giveBack(worker: Worker, key: string, slots: number): readonly Grant[] {
    const account = this.#accounts.get(key);
    if (!account) return [];
    grant(account, worker, -Math.min(slots, account.granted.get(worker) ?? 0));
    const grants = this.#serveWanting(account, key);
    // A replica that is gone leaves nothing behind.
    if (account.wanting.size === 0 && free(account) === account.limit) this.#accounts.delete(key);
    return grants;
  }

  /** A worker is gone, and with it its requests: all it held is free again. */
  gone(worker: Worker): readonly Grant[] {
    return [...this.#accounts].flatMap(([key, account]) => {
      account.wanting.delete(worker);
      const grants = this.giveBack(worker, key, account.granted.get(worker) ?? 0);
      account.granted.delete(worker);
      return grants;
    });
  }

  #serveWanting(account: Account, key: string): readonly Grant[] {
    const grants: Grant[] = [];
    for (const [worker, wanted] of [...account.wanting]) {
      // One each while slots are short, so that nobody waits for another's appetite.
      const fair = Math.max(1, Math.floor(free(account) / account.wanting.size));
      const slots = Math.min(wanted, fair, free(account));
      if (slots <= 0) break;
      account.wanting.delete(worker);
      grant(account, worker, slots);
      grants.push({ worker, key, slots });
    }
    return grants;
  }
}

function free({ limit, granted }: Account): number {
  return limit - [...granted.values()].reduce((sum, slots) => sum + slots, 0);
}

function grant(account: Account, worker: Worker, slots: number): void {
  account.granted.set(worker, (account.granted.get(worker) ?? 0) + slots);
}
