/** The replicas of one expert as they come and go while it serves. */
import { describeError } from '../../core/errors.ts';
import type { Fleet } from './fleet.ts';
import type { ExpertGroup } from './group.ts';
import type { Replica } from './replica.ts';

/** A replica that may be asked. */
export interface Found {
  /** Its address, which is its name as well. */
  readonly url: string;
  /** Share of the work relative to the others. */
  readonly weight: number;
}

interface Making {
  make(found: Found): Promise<Replica>;
  log(line: string): void;
}

/** Addresses that a line of the log names. */
const MOST_NAMED = 3;

export class Membership {
  readonly #fleet: Fleet;
  readonly #group: ExpertGroup;
  readonly #making: Making;
  /** What was found last and is not applied yet: of many in a short time, the last alone counts. */
  #next: readonly Found[] | null = null;
  #applying: Promise<void> | null = null;

  constructor(fleet: Fleet, group: ExpertGroup, making: Making) {
    this.#fleet = fleet;
    this.#group = group;
    this.#making = making;
  }

  /**
   * These are all that may be asked from now on. One that is missing gets nothing new, loses nothing, and is gone once it
   * is idle; one that is back before that stays.
   */
  follow(found: readonly Found[]): Promise<void> {
    this.#next = found;
    this.#applying ??= this.#catchUp().finally(() => {
      this.#applying = null;
      // Told between the last look and this.
      if (this.#next) void this.follow(this.#next);
    });
    return this.#applying;
  }

  async #catchUp(): Promise<void> {
    while (this.#next) {
      const found = this.#next;
      this.#next = null;
      await this.#apply(new Map(found.map((one) => [one.url, one])));
    }
  }

  async #apply(found: ReadonlyMap<string, Found>): Promise<void> {
    const leaving: string[] = [];
    for (const replica of [...this.#group.replicas]) {
      const still = found.get(replica.name);
      if (still) {
        replica.weight = still.weight;
        replica.stay();
      } else if (!replica.leaving) {
        leaving.push(replica.name);
        this.#fleet.part(this.#group, replica);
      }
    }
    const present = new Set(this.#group.replicas.map(({ name }) => name));
    const fresh = [...found.values()].filter(({ url }) => !present.has(url));
    if (fresh.length + leaving.length > 0)
      this.#tell(
        found.size,
        fresh.map(({ url }) => url),
        leaving,
      );
    await Promise.all(fresh.map((one) => this.#take(one)));
  }

  async #take(found: Found): Promise<void> {
    try {
      await this.#fleet.join(this.#group, await this.#making.make(found));
    } catch (error) {
      this.#making.log(`Expert '${this.#group.id}' at ${found.url} is left out: ${describeError(error)}`);
    }
  }

  #tell(count: number, fresh: readonly string[], leaving: readonly string[]): void {
    const change = [
      ...(fresh.length > 0 ? [`new ${named(fresh)}`] : []),
      ...(leaving.length > 0 ? [`leaving ${named(leaving)}`] : []),
    ];
    this.#making.log(
      `Expert '${this.#group.id}' has ${count} replica${count === 1 ? '' : 's'}: ${change.join('; ')}.`,
    );
  }
}

function named(urls: readonly string[]): string {
  const more = urls.length - MOST_NAMED;
  return [...urls.slice(0, MOST_NAMED), ...(more > 0 ? [`${more} more`] : [])].join(', ');
}
