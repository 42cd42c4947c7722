/** The last minutes in seconds, of one process: a fixed number of them, whatever the load. */
import { addBins, type Bins, count } from './bins.ts';
import { type PackedTally, type Second, TALLY, type Tally } from './wire.ts';

/** Ten minutes. */
export const KEPT_SECONDS = 600;
/** Seconds that a clock may go back while its charts stand still. */
const MOST_BACK = 30;
const PLACE = Object.fromEntries(TALLY.map((name, place) => [name, place])) as Tally;

interface Open {
  readonly at: number;
  readonly experts: Record<string, number[]>;
  load: Second['load'];
  readonly clusters: Record<number, number>;
  outside: number;
  refused: number;
  readonly first: Bins;
  readonly perToken: Bins;
}

export class Seconds {
  #kept: Open[] = [];

  /** What happened is added to the second of `now`. @param now milliseconds since 1970 */
  add(now: number, expert: string, what: Partial<Tally>): void {
    const second = this.#at(now);
    second.experts[expert] ??= new Array<number>(TALLY.length).fill(0);
    const tally = second.experts[expert];
    for (const name in what) tally[PLACE[name as keyof Tally]]! += what[name as keyof Tally]!;
  }

  chosen(now: number, cluster: number, outside: boolean): void {
    const second = this.#at(now);
    second.clusters[cluster] = (second.clusters[cluster] ?? 0) + 1;
    if (outside) second.outside += 1;
  }

  refused(now: number): void {
    this.#at(now).refused += 1;
  }

  first(now: number, ms: number): void {
    count(this.#at(now).first, ms);
  }

  perToken(now: number, ms: number): void {
    count(this.#at(now).perToken, ms);
  }

  load(now: number, load: Second['load']): void {
    this.#at(now).load = load;
  }

  /** Those after this one that are over. */
  since(second: number, now: number): readonly Second[] {
    const current = Math.floor(now / 1000);
    return this.#kept.filter(({ at }) => at > second && at < current).map(rounded);
  }

  #at(now: number): Open {
    const at = Math.floor(now / 1000);
    const last = this.#kept.at(-1);
    // A clock that was set back a little goes on in the last second; one set back by more begins anew from where it is.
    if (last && last.at >= at) {
      if (last.at - at <= MOST_BACK) return last;
      this.#kept = this.#kept.filter((one) => one.at < at);
    }
    const fresh: Open = {
      at,
      experts: {},
      load: {},
      clusters: {},
      outside: 0,
      refused: 0,
      first: {},
      perToken: {},
    };
    this.#kept.push(fresh);
    if (this.#kept.length > KEPT_SECONDS) this.#kept.shift();
    return fresh;
  }
}

/** Times to a tenth of a millisecond, which is shorter to send. */
function rounded(second: Open): Second {
  const tallies = Object.entries(second.experts).map(([expert, tally]) => [
    expert,
    tally.map((value) => Math.round(value * 10) / 10),
  ]);
  return { ...second, experts: Object.fromEntries(tallies) };
}

/** The same seconds of several processes as one. */
export function addSeconds(parts: readonly (readonly Second[])[]): readonly Second[] {
  const all = new Map<number, Open>();
  for (const second of parts.flat()) {
    const sum = all.get(second.at);
    if (sum) addSecond(sum, second);
    else all.set(second.at, structuredClone(second) as Open);
  }
  return [...all.values()].sort((a, b) => a.at - b.at);
}

function addSecond(sum: Open, more: Second): void {
  for (const [expert, tally] of Object.entries(more.experts))
    sum.experts[expert] = added(sum.experts[expert], tally);
  sum.load = { ...sum.load };
  for (const [expert, load] of Object.entries(more.load))
    (sum.load as Record<string, readonly [number, number]>)[expert] = added(sum.load[expert], load) as [
      number,
      number,
    ];
  addBins(sum.clusters, more.clusters);
  sum.outside += more.outside;
  sum.refused += more.refused;
  addBins(sum.first, more.first);
  addBins(sum.perToken, more.perToken);
}

function added(a: PackedTally | undefined, b: PackedTally): number[] {
  return b.map((value, place) => value + (a?.[place] ?? 0));
}
