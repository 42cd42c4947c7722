/** Where reservations are kept: in Redis for many machines, in a folder for one. */
import type { Reservation, Scope, Verdict } from './ledger.ts';

/** Whose requests are counted together in one call: a team's keys with the team, or one key alone. */
export interface Party {
  /** The same for all scopes that are ever reserved together; names where a cluster of Redis keeps them. */
  readonly tag: string;
  readonly scopes: readonly Scope[];
}

export interface LimitStore {
  /** @returns null where the store does not answer in time; nothing is held then for long */
  reserve(party: Party, reservation: Reservation): Promise<Verdict | null>;
  /** Holds another amount, whatever the bounds say, and prolongs it. Never rejects. */
  extend(party: Party, reservation: Reservation): void;
  /** Ends it and charges this amount, once however often it is called. Never rejects; kept for later where it must be. */
  settle(party: Party, reservation: Reservation): void;
  close(): Promise<void>;
}
