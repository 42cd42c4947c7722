/** What a fleet tells the fleets of other gateways of its replicas, and what it makes of what they tell. */
import { type Fleet, keyed } from './fleet.ts';

/** As of `serving/hints`. */
interface Told {
  readonly opensIn: number;
  readonly finishes: number;
  readonly reads: number;
}

/** Of replicas of which there is something to tell, at most so many. */
export function toTell({ groups }: Fleet, most: number): Readonly<Record<string, Told>> {
  const all: Record<string, Told> = {};
  let left = most;
  for (const group of groups.values()) {
    for (const [key, replica] of keyed(group)) {
      const told = {
        opensIn: replica.opensIn,
        finishes: replica.measuredRate,
        reads: replica.prefill.measured,
      };
      if (told.opensIn + told.finishes + told.reads === 0 || left-- <= 0) continue;
      all[key] = told;
    }
  }
  return all;
}

/**
 * Rates count until this process has measured its own. A replica whose breaker is open elsewhere is asked at once how it is,
 * and one failure more opens its breaker here too; nothing is taken away on another's word, who may be cut off himself.
 */
export function take({ groups }: Fleet, told: Readonly<Record<string, Told>>): void {
  for (const group of groups.values()) {
    for (const [key, replica] of keyed(group)) {
      const one = Object.hasOwn(told, key) ? told[key]! : null;
      if (!one) continue;
      replica.told = one;
      if (one.opensIn > 0) replica.warn();
    }
  }
}
