/**
 * A worker's end of the line to the primary: places for its replicas, the load of the other workers, the metrics of
 * all. The fleet sees only slots and numbers, and knows nothing of processes.
 */
import type { Socket } from 'node:net';
import { describeError } from '../../core/errors.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Slots } from '../fleet/replica.ts';
import { LOADS_EVERY_MS, type Loads, type ToPrimary, type ToWorker } from './messages.ts';

/** The process's channel, as node:cluster gives it to a worker. */
export interface Channel {
  send(message: ToPrimary): void;
  onMessage(listener: (message: ToWorker, socket?: Socket) => void): void;
}

/** A config that is ready to serve, and does not yet. */
export interface Prepared {
  commit(): void;
  abandon(): void;
}

/** The text of the config in force, and how many workers share it. */
type First = Pick<Extract<ToWorker, { type: 'begin' }>, 'text' | 'workers' | 'speaks'>;

export class WorkerLink {
  readonly #channel: Channel;
  readonly #slots = new Map<string, WorkerSlots>();
  readonly #pages = new Map<number, (page: string) => void>();
  #fleet: Fleet | null = null;
  readonly #fleets = new Set<Fleet>();
  #nextPage = 0;
  #told = '';
  readonly #timer: NodeJS.Timeout;
  #serve: (connection: Socket) => void = (connection) => connection.destroy();

  #begin: (first: First) => void = () => {};
  #prepared: { readonly id: number; readonly next: Promise<Prepared> } | null = null;

  /** Makes a config ready, with the router model of this id; rejects with the reason. Set by whoever can. */
  onPrepare: (text: string, model: string) => Promise<Prepared> = () =>
    Promise.reject(new Error('not serving yet'));

  /** @param onDrain called when the primary asks this worker to finish */
  constructor(channel: Channel, onDrain: () => void) {
    this.#channel = channel;
    channel.onMessage((message, socket) => {
      if (message.type === 'connection') this.#take(socket);
      else this.#receive(message, onDrain);
    });
    this.#timer = setInterval(() => this.#tellLoads(), LOADS_EVERY_MS);
    this.#timer.unref();
  }

  /** What this worker is to serve, from the primary: the file may say something else by now. */
  begin(): Promise<First> {
    return new Promise((resolve) => {
      this.#begin = resolve;
      this.#channel.send({ type: 'begin' });
    });
  }

  /** The places of one replica, none at first; they come from the primary as they are needed. */
  slots(key: string, limit: number): Slots {
    // Taken up again after a reload that came back to it: a second set of books would strand the places in the first.
    const known = this.#slots.get(key);
    if (known) return known;
    // A fetch takes an eighth, so that few requests wait for one and no worker hoards.
    const slots = new WorkerSlots({
      ask: (places) => this.#channel.send({ type: 'want', key, places, limit }),
      giveBack: (places) => this.#channel.send({ type: 'give-back', key, places }),
      batch: Math.max(1, Math.ceil(limit / 8)),
    });
    this.#slots.set(key, slots);
    return slots;
  }

  /** From now on this fleet hears of grants and of the others' load; those before it still hear of grants. */
  connect(fleet: Fleet): void {
    this.#fleet = fleet;
    this.#fleets.add(fleet);
  }

  /** This fleet has nobody waiting any more. */
  disconnect(fleet: Fleet): void {
    this.#fleets.delete(fleet);
  }

  /** From now on this worker takes connections. */
  serving(serve: (connection: Socket) => void): void {
    this.#serve = serve;
    this.#channel.send({ type: 'serving' });
  }

  /** The metrics page of all workers together. */
  metricsPage(): Promise<string> {
    const id = this.#nextPage++;
    return new Promise((resolve) => {
      this.#pages.set(id, resolve);
      this.#channel.send({ type: 'metrics', id });
    });
  }

  /** The socket is absent when the client was gone before it arrived. */
  #take(socket: Socket | undefined): void {
    this.#channel.send({ type: 'taken' });
    if (socket) this.#serve(socket);
  }

  #receive(message: Exclude<ToWorker, { type: 'connection' }>, onDrain: () => void): void {
    switch (message.type) {
      case 'granted':
        this.#slots.get(message.key)?.granted(message.places);
        // Also into a fleet that a reload replaced: whoever waits there is still to be served.
        for (const fleet of this.#fleets) fleet.letIn();
        return;
      case 'reclaim':
        this.#slots.get(message.key)?.reclaim();
        return;
      case 'elsewhere':
        this.#fleet?.hearElsewhere(message.loads);
        return;
      case 'metrics':
        this.#pages.get(message.id)?.(message.page);
        this.#pages.delete(message.id);
        return;
      case 'begin':
        this.#begin(message);
        return;
      case 'prepare':
        this.#prepare(message.id, message.text, message.model);
        return;
      case 'commit':
      case 'abandon': {
        if (this.#prepared?.id !== message.id) return;
        void this.#prepared.next.then(
          (next) => next[message.type](),
          () => {}, // told as the problem already
        );
        this.#prepared = null;
        return;
      }
      case 'drain':
        onDrain();
    }
  }

  #prepare(id: number, text: string, model: string): void {
    const next = this.onPrepare(text, model);
    this.#prepared = { id, next };
    const tell = (problem: string | null): void => this.#channel.send({ type: 'prepared', id, problem });
    next.then(
      () => tell(null),
      (error: unknown) => tell(describeError(error)),
    );
  }

  #tellLoads(): void {
    if (!this.#fleet) return;
    const loads: Loads = this.#fleet.ownLoads();
    const text = JSON.stringify(loads);
    if (text !== this.#told) this.#channel.send({ type: 'loads', loads });
    this.#told = text;
  }
}

interface SlotLine {
  ask(places: number): void;
  giveBack(places: number): void;
  readonly batch: number;
}

/** Places granted to this worker so far, and those in use. */
class WorkerSlots implements Slots {
  readonly #line: SlotLine;
  #granted = 0;
  #used = 0;
  #asking = false;
  /** Times another worker was told to wait for a place of ours. */
  #owed = 0;

  constructor(line: SlotLine) {
    this.#line = line;
  }

  /** Asking while there is none fetches more; who asked waits in line meanwhile. */
  get free(): boolean {
    if (this.#used < this.#granted) return true;
    if (!this.#asking) this.#line.ask(this.#line.batch);
    this.#asking = true;
    return false;
  }

  take(): void {
    this.#used += 1;
  }

  release(): void {
    this.#used -= 1;
    if (this.#owed === 0) return;
    this.#owed -= 1;
    this.#return(1);
  }

  granted(places: number): void {
    this.#granted += places;
    this.#asking = false;
  }

  /** Another worker waits: it gets what lies unused, or else the next place that becomes free. */
  reclaim(): void {
    const unused = this.#granted - this.#used;
    if (unused > 0) this.#return(unused);
    else this.#owed += 1;
  }

  #return(places: number): void {
    this.#granted -= places;
    this.#line.giveBack(places);
  }
}
