/**
 * The slots of replicas: how many requests one may hold at once. They outlive the fleet, so that requests which end
 * with an earlier config still count under the next one.
 */
/** The slots of one replica, as far as this process has them. */
export interface Slots {
  /** Requests of this process that hold one, whichever config they came under. */
  readonly used: number;
  /** Whether one can be taken now; asking may fetch more from elsewhere. */
  readonly free: boolean;
  take(): void;
  release(): void;
  /** From now on there are so many, over all processes; Infinity for any number. */
  limitTo(limit: number): void;
}

/** A fleet, as far as its slots concern it. */
export interface Admitting {
  applyLimits(): void;
  letIn(): void;
}

/** Where replicas get their slots. */
export interface SlotSource {
  /** @param key names the replica, under this config and the next */
  slots(key: string): Slots;
  /** The replica of this name is gone, unless requests of an earlier config are still with it. */
  drop(key: string): void;
  /** This fleet serves from now on: its limits hold. Those before it still hear of slots that become free. */
  connect(fleet: Admitting): void;
  /** This fleet has nobody waiting any more. */
  disconnect(fleet: Admitting): void;
}

/** Names a replica's slots; the same for the same replica of every config. */
export const slotsKey = (expert: string, replica: string, index: number): string =>
  `${expert} ${replica} ${index}`;

/** All slots are this process's own. */
export class OwnSlots implements SlotSource {
  readonly #slots = new Map<string, CountedSlots>();
  readonly #fleets = new Set<Admitting>();

  slots(key: string): Slots {
    const known = this.#slots.get(key);
    if (known) return known;
    const slots = new CountedSlots(() => this.#released());
    this.#slots.set(key, slots);
    return slots;
  }

  drop(key: string): void {
    if (this.#slots.get(key)?.used === 0) this.#slots.delete(key);
  }

  connect(fleet: Admitting): void {
    this.#fleets.add(fleet);
    fleet.applyLimits();
  }

  disconnect(fleet: Admitting): void {
    this.#fleets.delete(fleet);
  }

  /** A fleet sees to its own queues itself; those of the others may have waited for this slot. */
  #released(): void {
    if (this.#fleets.size > 1) for (const fleet of this.#fleets) fleet.letIn();
  }
}

export class CountedSlots implements Slots {
  used = 0;
  readonly #released: () => void;
  #limit = Number.POSITIVE_INFINITY;

  constructor(released: () => void = () => {}) {
    this.#released = released;
  }

  get free(): boolean {
    return this.used < this.#limit;
  }

  take(): void {
    this.used += 1;
  }

  release(): void {
    this.used -= 1;
    this.#released();
  }

  limitTo(limit: number): void {
    this.#limit = limit;
  }
}
