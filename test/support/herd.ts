/**
 * Several gateways before the same replicas, each seeing the others' requests only through polled metrics: a
 * simulation with the real choice of replica and the real formula. Time is simulated, in milliseconds.
 */
import { MinHeap } from '../../src/core/heap.ts';
import { type Random, seededRandom } from '../../src/core/random.ts';
import { chooseReplica } from '../../src/deciding/routing/replica.ts';
import { type Observation, othersNow, shareAfter } from '../../src/serving/fleet/observed-load.ts';

export interface HerdSetting {
  readonly gateways: number;
  readonly replicas: number;
  /** Requests a second of each gateway (Poisson). */
  readonly rate: number;
  /** Mean milliseconds of a request (exponential). */
  readonly service: number;
  /** Milliseconds between readings, with up to a quarter of jitter. */
  readonly poll: number;
  /** Requests that somebody else keeps at the first replica, all the time. */
  readonly foreign: number;
  readonly seed: number;
}

/**
 * How a gateway counts a replica's requests: the last reading alone; its own alone; its own and what others had when it
 * was read; or all of that and what others did since, as the product does.
 */
export type Counting = 'polled' | 'own' | 'own+read' | 'own+read+share';

const SECONDS = 120;
/** Not measured: the fleet fills up. */
const WARM_UP_MS = 20_000;
const TOKENS = 500;

/** The busiest replica's requests over the mean of all, on average over time: 1 is perfect balance. */
export function imbalance(setting: HerdSetting, counting: Counting): number {
  return new Herd(setting, counting).run();
}

class Herd {
  readonly #setting: HerdSetting;
  readonly #counting: Counting;
  readonly #random: Random;
  readonly #events = new MinHeap<() => void>();
  /** Gateway → replica → its requests there. */
  readonly #own: number[][];
  readonly #seen: (Observation | null)[][];
  readonly #share: number[];
  #now = 0;

  constructor(setting: HerdSetting, counting: Counting) {
    const { gateways, replicas, seed } = setting;
    this.#setting = setting;
    this.#counting = counting;
    this.#random = seededRandom(seed);
    this.#own = Array.from({ length: gateways }, () => Array<number>(replicas).fill(0));
    this.#seen = this.#own.map((row) => row.map(() => null));
    this.#share = Array<number>(gateways).fill(1);
  }

  run(): number {
    const { gateways, replicas, poll } = this.#setting;
    for (let gateway = 0; gateway < gateways; gateway++) {
      this.#arriveLater(gateway);
      for (let replica = 0; replica < replicas; replica++)
        this.#at(this.#random.next() * poll, () => this.#read(gateway, replica));
    }
    let area = 0;
    while (this.#events.minKey < SECONDS * 1000) {
      const at = this.#events.minKey;
      if (at > WARM_UP_MS) area += (at - Math.max(this.#now, WARM_UP_MS)) * this.#unevenness();
      this.#now = at;
      this.#events.pop()?.();
    }
    return area / (this.#now - WARM_UP_MS);
  }

  #unevenness(): number {
    const loads = this.#own[0]!.map((_, replica) => this.#present(replica));
    const mean = loads.reduce((sum, load) => sum + load, 0) / loads.length;
    return mean === 0 ? 1 : Math.max(...loads) / mean;
  }

  #present(replica: number): number {
    const ours = this.#own.reduce((sum, row) => sum + row[replica]!, 0);
    return ours + (replica === 0 ? this.#setting.foreign : 0);
  }

  #arriveLater(gateway: number): void {
    this.#at(this.#exponential(1000 / this.#setting.rate), () => {
      this.#send(gateway);
      this.#arriveLater(gateway);
    });
  }

  #send(gateway: number): void {
    const own = this.#own[gateway]!;
    const snapshots = own.map((_, replica) => ({
      name: `replica-${replica}`,
      outstandingTokens: TOKENS * this.#counted(gateway, replica),
      weight: 1,
      available: true,
      full: false,
    }));
    // Without stickiness: the choice that goes by load alone is the one that herds.
    const chosen = chooseReplica(snapshots, null)!;
    own[chosen]! += 1;
    this.#at(this.#exponential(this.#setting.service), () => {
      own[chosen]! -= 1;
    });
  }

  #counted(gateway: number, replica: number): number {
    const own = this.#own[gateway]![replica]!;
    const seen = this.#seen[gateway]![replica] ?? null;
    if (this.#counting === 'own' || seen === null) return own;
    if (this.#counting === 'polled') return seen.load.running ?? 0;
    const share = this.#counting === 'own+read' ? 1 : this.#share[gateway]!;
    return own + othersNow(seen, own, share, this.#now);
  }

  #read(gateway: number, replica: number): void {
    const { poll } = this.#setting;
    const load = { running: this.#present(replica), waiting: 0, kvCacheUse: null };
    const row = this.#seen[gateway]!;
    row[replica] = { load, own: this.#own[gateway]![replica]!, at: this.#now, every: poll };
    this.#share[gateway] = shareAfter(
      this.#share[gateway]!,
      row.flatMap((one) => one ?? []),
    );
    this.#at(poll * (1 + this.#random.next() / 4), () => this.#read(gateway, replica));
  }

  #exponential(mean: number): number {
    return -Math.log(1 - this.#random.next()) * mean;
  }

  #at(later: number, act: () => void): void {
    this.#events.push(this.#now + later, act);
  }
}
