/**
 * What operators have taken out of service: it answers what it has begun and gets nothing new until it is resumed, under
 * this config and the next. A restart of the program forgets it.
 */

export interface Drained {
  readonly expert: string;
  /** Its name; null for the whole expert. */
  readonly replica: string | null;
}

export interface DrainChange extends Drained {
  readonly drained: boolean;
}

/** To resume an expert is to resume every replica of it. */
export function changed(all: readonly Drained[], change: DrainChange): readonly Drained[] {
  const { expert, replica, drained } = change;
  const rest = all.filter((one) => one.expert !== expert || (replica !== null && one.replica !== replica));
  return drained ? [...rest, { expert, replica }] : rest;
}

export class Drains {
  #all: readonly Drained[] = [];
  /** Set by whoever has replicas that it concerns. */
  onChange: () => void = () => {};

  get all(): readonly Drained[] {
    return this.#all;
  }

  become(all: readonly Drained[]): void {
    this.#all = all;
    this.onChange();
  }

  /** Whether all of an expert is drained. */
  covers(expert: string): boolean {
    return this.#all.some((one) => one.expert === expert && one.replica === null);
  }

  /** Whether a replica is, by itself or with its expert. */
  includes(expert: string, replica: string): boolean {
    return (
      this.#all.length > 0 &&
      this.#all.some((one) => one.expert === expert && (one.replica === null || one.replica === replica))
    );
  }
}
