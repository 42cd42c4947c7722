/**
 * A worker's end of its channel to the primary: slots for its replicas, the load of the other workers, the metrics of
 * all. To the fleet it is a source of slots like any other.
 */
import type { Socket } from 'node:net';
import { describeError, RouterError, UserError } from '../../core/errors.ts';
import { type DrainChange, Drains } from '../fleet/drains.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Signals } from '../fleet/keeping.ts';
import type { SlotSource, Slots } from '../fleet/slots.ts';
import { LOADS_EVERY_MS, type Loads, type Move, type ToPrimary, type ToWorker } from './messages.ts';

/** The process's channel, as node:cluster gives it to a worker. */
export interface Channel {
  /** Whether there is a primary at its other end. */
  readonly open: boolean;
  send(message: ToPrimary): void;
  onMessage(listener: (message: ToWorker, socket?: Socket) => void): void;
}

/** A config that is ready to serve, and does not yet. */
export interface Prepared {
  commit(): void;
  abandon(): void;
}

/** The text of the config in force, and how many workers share it. */
type First = Omit<Extract<ToWorker, { type: 'begin' }>, 'type'>;

/** What this worker remembers of conversations. */
export interface Remembering {
  /** Called with what the other workers do not know. */
  onMove: (move: Move) => void;
  heard(moves: readonly Move[]): void;
}

export class WorkerLink implements SlotSource {
  readonly #channel: Channel;
  readonly #slots = new Map<string, WorkerSlots>();
  readonly #pages = new Map<number, (page: string | null) => void>();
  readonly #answers = new Map<number, (answers: readonly object[] | null) => void>();
  readonly #done = new Map<number, (problem: string | null) => void>();
  /** What operators have drained, as the primary says. */
  readonly drains = new Drains();
  #fleet: Fleet | null = null;
  readonly #fleets = new Set<Fleet>();
  #nextPage = 0;
  #told = '';
  #toldSignals = '{}';
  #moves: Move[] = [];
  readonly #timer: NodeJS.Timeout;
  #serve: (connection: Socket) => void = (connection) => connection.destroy();

  #onMoves: (moves: readonly Move[]) => void = () => {};
  #begin: (first: First) => void = () => {};
  #letGo: () => void = () => {};
  #prepared: { readonly id: number; readonly next: Promise<Prepared> } | null = null;

  /** Makes a config ready, with the router model of this id; rejects with the reason. Set by whoever can. */
  onPrepare: (text: string, model: string) => Promise<Prepared> = () =>
    Promise.reject(new Error('not serving yet'));

  /** This worker's own metrics, as `registry.getMetricsAsJSON()` gives them. Set by whoever has them. */
  onMetrics: () => Promise<readonly object[]> = async () => [];

  /** What this worker sees of experts that are started as they are needed. Set by whoever has it. */
  onSignals: () => Signals = () => ({});

  /** This worker's own answer to a question for all. Set by whoever has it. */
  onQuestion: (question: object) => object = () => ({});

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

  /** The slots of one replica, none at first; they come from the primary as they are needed. */
  slots(key: string): Slots {
    const known = this.#slots.get(key);
    if (known) return known;
    const slots = new WorkerSlots({
      want: (count, limit) => this.#channel.send({ type: 'want', key, slots: count, limit }),
      giveBack: (count) => this.#channel.send({ type: 'give-back', key, slots: count }),
      released: () => this.#released(),
    });
    this.#slots.set(key, slots);
    return slots;
  }

  drop(key: string): void {
    const slots = this.#slots.get(key);
    if (slots?.used !== 0) return;
    slots.giveBackUnused();
    this.#slots.delete(key);
  }

  /** From now on this fleet hears of grants and of the others' load; those before it still hear of grants. */
  connect(fleet: Fleet): void {
    this.#fleet = fleet;
    this.#fleets.add(fleet);
    fleet.applyLimits();
  }

  disconnect(fleet: Fleet): void {
    this.#fleets.delete(fleet);
  }

  #released(): void {
    if (this.#fleets.size > 1) this.#letIn();
  }

  /** Also into a fleet that a reload replaced: whoever waits there is still to be served. */
  #letIn(): void {
    for (const fleet of this.#fleets) fleet.letIn();
  }

  /** What is remembered of conversations is told to all workers, a moment later and together. */
  share(conversations: Remembering): void {
    conversations.onMove = (move) => void this.#moves.push(move);
    this.#onMoves = (moves) => conversations.heard(moves);
  }

  /** From now on this worker takes connections. */
  serving(serve: (connection: Socket) => void): void {
    this.#serve = serve;
    this.#channel.send({ type: 'serving' });
  }

  /** All that was taken is answered. Resolves when nothing more comes; at once where there is no primary any more. */
  leave(): Promise<void> {
    return new Promise((resolve) => {
      this.#letGo = resolve;
      if (this.#channel.open) this.#channel.send({ type: 'drained' });
      else resolve();
    });
  }

  /** The primary is gone: it hands over nothing more. */
  closed(): void {
    this.#letGo();
  }

  /** The metrics page of all workers together. @throws RouterError `metrics_incomplete` where one does not answer */
  async metricsPage(): Promise<string> {
    const id = this.#nextPage++;
    const page = await new Promise<string | null>((resolve) => {
      this.#pages.set(id, resolve);
      this.#channel.send({ type: 'metrics', id });
    });
    if (page !== null) return page;
    throw new RouterError('metrics_incomplete', 'A worker does not answer; ask again in a moment.', {
      retryAfter: 5,
    });
  }

  /** What every worker answers, this one too; null where one does not in time. */
  askAll(question: object): Promise<readonly object[] | null> {
    const id = this.#nextPage++;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
      this.#channel.send({ type: 'ask-all', id, question });
    });
  }

  /** Resolves when the primary has it so and has told every worker. */
  async drain(change: DrainChange): Promise<void> {
    await this.#ask((id) => ({ type: 'drain', id, change }));
  }

  /** Has all workers take up the config as it is now. @throws UserError with the reason where they do not */
  async reload(): Promise<void> {
    const problem = await this.#ask((id) => ({ type: 'reload', id }));
    if (problem !== null) throw new UserError(problem);
  }

  #ask(message: (id: number) => ToPrimary): Promise<string | null> {
    const id = this.#nextPage++;
    return new Promise((resolve) => {
      this.#done.set(id, resolve);
      this.#channel.send(message(id));
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
        this.#granted(message.key, message.slots);
        return;
      case 'reclaim':
        this.#slots.get(message.key)?.reclaim();
        return;
      case 'elsewhere':
        this.#fleet?.hearElsewhere(message.loads);
        return;
      case 'keep':
        this.#fleet?.groups.get(message.expert)?.keep(message.keeping);
        return;
      case 'metrics':
        this.#pages.get(message.id)?.(message.page);
        this.#pages.delete(message.id);
        return;
      case 'moves':
        this.#onMoves(message.moves);
        return;
      case 'own-metrics':
        void this.onMetrics().then((metrics) =>
          this.#channel.send({ type: 'own-metrics', id: message.id, metrics }),
        );
        return;
      case 'answers':
        this.#answers.get(message.id)?.(message.answers);
        this.#answers.delete(message.id);
        return;
      case 'question':
        this.#channel.send({ type: 'own-answer', id: message.id, answer: this.onQuestion(message.question) });
        return;
      case 'drains':
        this.drains.become(message.all);
        return;
      case 'done':
        this.#done.get(message.id)?.(message.problem);
        this.#done.delete(message.id);
        return;
      case 'begin':
        this.drains.become(message.drains);
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
        return;
      case 'leave':
        this.#letGo();
    }
  }

  #granted(key: string, count: number): void {
    const slots = this.#slots.get(key);
    // Those of a replica that has left go back.
    if (slots) slots.granted(count);
    else this.#channel.send({ type: 'give-back', key, slots: count });
    this.#letIn();
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

  /** Says that this worker lives, its loads where they have changed, and which conversations have moved. */
  #tellLoads(): void {
    const loads: Loads | null = this.#fleet?.ownLoads() ?? null;
    const text = JSON.stringify(loads);
    this.#channel.send({ type: 'alive', loads: text === this.#told ? null : loads });
    this.#told = text;
    this.#tellSignals();
    if (this.#moves.length === 0) return;
    this.#channel.send({ type: 'moves', moves: this.#moves });
    this.#moves = [];
  }

  #tellSignals(): void {
    const signals = this.onSignals();
    const text = JSON.stringify(signals);
    if (text === this.#toldSignals) return;
    this.#toldSignals = text;
    this.#channel.send({ type: 'signals', signals });
  }
}

interface SlotCounter {
  want(slots: number, limit: number): void;
  giveBack(slots: number): void;
  /** One that was used is free, or given back. */
  released(): void;
}

/** Slots granted to this worker so far, and those in use. */
class WorkerSlots implements Slots {
  readonly #counter: SlotCounter;
  #limit = Number.POSITIVE_INFINITY;
  #granted = 0;
  #asking = false;
  used = 0;
  /** Slots to be given back as they become free: another worker waits for them, or they are of an earlier limit. */
  #owed = 0;

  constructor(counter: SlotCounter) {
    this.#counter = counter;
  }

  /** Asking while there is none fetches more; who asked waits in the queue meanwhile. */
  get free(): boolean {
    if (this.used < this.#granted || this.#limit === Number.POSITIVE_INFINITY) return true;
    // A fetch takes an eighth, so that few requests wait for one and no worker hoards.
    if (!this.#asking) this.#counter.want(Math.max(1, Math.ceil(this.#limit / 8)), this.#limit);
    this.#asking = true;
    return false;
  }

  take(): void {
    this.used += 1;
  }

  release(): void {
    this.used -= 1;
    if (this.#owed > 0) {
      this.#owed -= 1;
      this.#giveBack(1);
    }
    this.#counter.released();
  }

  granted(slots: number): void {
    this.#granted += slots;
    this.#asking = false;
  }

  /** Another worker waits: it gets what lies unused, or else the next slot that becomes free. */
  reclaim(): void {
    if (!this.giveBackUnused()) this.#owed += 1;
  }

  /** What was granted under another limit goes back, what is in use as it becomes free. */
  limitTo(limit: number): void {
    if (limit === this.#limit) return;
    this.#limit = limit;
    this.#asking = false;
    this.giveBackUnused();
    this.#owed = this.#granted;
  }

  giveBackUnused(): boolean {
    const unused = this.#granted - this.used;
    if (unused > 0) this.#giveBack(unused);
    return unused > 0;
  }

  #giveBack(slots: number): void {
    this.#granted -= slots;
    this.#counter.giveBack(slots);
  }
}
