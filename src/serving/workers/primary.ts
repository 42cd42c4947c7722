/**
 * The process that owns the workers: it starts them, replaces those that die and says why, shares out places, passes
 * loads on, and ends them in order. It accepts connections for them (entrance.ts) and reads none.
 */
import cluster, { type Worker } from 'node:cluster';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { AggregatorRegistry } from 'prom-client';
import { UserError } from '../../core/errors.ts';
import { Agreement } from './agreement.ts';
import { type Doorway, Entrance } from './entrance.ts';
import { LOADS_EVERY_MS, type Loads, type ReplicaLoad, type ToPrimary, type ToWorker } from './messages.ts';
import { type Grant, SlotLedger } from './slot-ledger.ts';

export interface PrimaryOptions {
  readonly workers: number;
  log(line: string): void;
  readonly host: string;
  readonly port: number;
  /** The config that every worker begins with. */
  readonly text: string;
  /** All workers serve at this address. */
  onServing(url: string): void;
}

/** A worker that died before it served is replaced only after this long, so that a broken start does not spin. */
const RESTART_MS = 2_000;
/** How long workers may take to make another config ready; one that hangs must not hold up reloads for ever. */
const PREPARE_MS = 30_000;

export class Primary {
  readonly #options: PrimaryOptions;
  readonly #ledger = new SlotLedger();
  readonly #metrics = new AggregatorRegistry();
  readonly #loads = new Map<number, Loads>();
  readonly #serving = new Set<number>();
  readonly #entrance = new Entrance();
  #text: string;
  /** Workers that have the config. */
  readonly #begun = new Set<number>();
  /** The worker that logs what all of them see alike; another takes over once it is gone. */
  #speaker: number | null = null;
  #nextRound = 0;
  #round: { readonly id: number; readonly agreement: Agreement } | null = null;
  #url = '';
  #greeted = false;
  #ending = false;

  constructor(options: PrimaryOptions) {
    this.#options = options;
    this.#text = options.text;
  }

  /** Rejects with the system's error when the address cannot be had. */
  async run(): Promise<void> {
    this.#url = await this.#entrance.open(this.#options.host, this.#options.port);
    for (let i = 0; i < this.#options.workers; i++) this.#start();
    setInterval(() => this.#tellElsewhere(), LOADS_EVERY_MS).unref();
  }

  /** Lets every worker finish what it answers; called again, cuts them. */
  end(): void {
    for (const worker of this.#workers()) {
      if (this.#ending) worker.process.kill('SIGKILL');
      else if (this.#serving.has(worker.id)) send(worker, { type: 'drain' });
      // One that is still starting hears no messages yet, and has nothing to finish.
      else worker.process.kill('SIGTERM');
    }
    this.#ending = true;
  }

  /**
   * Has every worker serve another config, or none: all make it ready, and only then all begin with it. One call at a
   * time. @param model id of the router model to serve it with @throws UserError with a worker's reason
   */
  async take(text: string, model: string): Promise<void> {
    const workers = this.#workers().filter((worker) => this.#begun.has(worker.id));
    const agreement = new Agreement(workers.map((worker) => worker.id));
    const id = this.#nextRound++;
    this.#round = { id, agreement };
    for (const worker of workers) send(worker, { type: 'prepare', id, text, model });
    const late = setTimeout(() => agreement.fail('a worker did not make it ready in time.'), PREPARE_MS);
    const problem = await agreement.verdict;
    clearTimeout(late);
    this.#round = null;
    if (problem === null) this.#text = text;
    for (const worker of workers) send(worker, { type: problem === null ? 'commit' : 'abandon', id });
    if (problem !== null) throw new UserError(problem);
  }

  #workers(): readonly Worker[] {
    return Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
  }

  /** Not while the others are about to change their config: this one would begin with the old. */
  async #begin(worker: Worker): Promise<void> {
    while (this.#round) await this.#round.agreement.verdict.then(() => setImmediate());
    if (this.#speaker === null || !this.#begun.has(this.#speaker)) this.#speaker = worker.id;
    this.#begun.add(worker.id);
    const speaks = this.#speaker === worker.id;
    send(worker, { type: 'begin', text: this.#text, workers: this.#options.workers, speaks });
  }

  #start(): void {
    const worker = cluster.fork();
    const doorway: Doorway = { id: worker.id, hand: (socket) => hand(worker, socket) };
    worker.on('message', (message: ToPrimary) => this.#receive(worker, doorway, message));
    // Both dead and read to its last message, which may say that it has a connection. (An exit may be heard of
    // before that message, and a disconnect not at all while a connection is on its way.)
    worker.process.on('close', () => this.#entrance.left(doorway));
    worker.on('exit', (code, signal) => this.#exited(worker, signal ?? `code ${code}`));
  }

  #exited(worker: Worker, why: string): void {
    this.#loads.delete(worker.id);
    this.#begun.delete(worker.id);
    this.#round?.agreement.gone(worker.id);
    const served = this.#serving.delete(worker.id);
    this.#tell(this.#ledger.gone(worker.id));
    if (this.#ending) {
      if (this.#workers().every((one) => one.isDead())) this.#entrance.close();
      return;
    }
    this.#options.log(
      `Worker ${worker.process.pid} ended (${why}); its open answers are lost, another takes its place.`,
    );
    if (!this.#greeted) {
      // It never served: whatever is wrong, its message is above, and the next would fail alike.
      this.#ending = true;
      process.exitCode = 1;
      this.#entrance.close();
      for (const other of this.#workers()) other.process.kill('SIGTERM');
      return;
    }
    setTimeout(() => this.#ending || this.#start(), served ? 0 : RESTART_MS);
  }

  #receive(worker: Worker, doorway: Doorway, message: ToPrimary): void {
    switch (message.type) {
      case 'want': {
        const grant = this.#ledger.want(worker.id, message.key, message.places, message.limit);
        if (grant) this.#tell([grant]);
        else
          for (const id of this.#ledger.holders(message.key, worker.id))
            sendTo(id, { type: 'reclaim', key: message.key });
        return;
      }
      case 'give-back':
        this.#tell(this.#ledger.giveBack(worker.id, message.key, message.places));
        return;
      case 'loads':
        this.#loads.set(worker.id, message.loads);
        return;
      case 'metrics':
        void this.#tellMetrics(worker, message.id);
        return;
      case 'begin':
        void this.#begin(worker);
        return;
      case 'prepared':
        if (this.#round?.id === message.id) this.#round.agreement.answered(worker.id, message.problem);
        return;
      case 'taken':
        this.#entrance.taken(doorway);
        return;
      case 'serving':
        this.#serving.add(worker.id);
        this.#entrance.join(doorway);
        if (this.#serving.size === this.#options.workers && !this.#greeted) {
          this.#greeted = true;
          this.#options.onServing(this.#url);
        }
    }
  }

  async #tellMetrics(worker: Worker, id: number): Promise<void> {
    const page = await this.#metrics.clusterMetrics().catch((error: Error) => `# ${error.message}\n`);
    send(worker, { type: 'metrics', id, page });
  }

  #tell(grants: readonly Grant[]): void {
    for (const { worker, key, places } of grants) {
      sendTo(worker, { type: 'granted', key, places });
      // Who asked in vain before told only the holders of that time: this new one must pass it on as well.
      if (this.#ledger.isWanted(key)) sendTo(worker, { type: 'reclaim', key });
    }
  }

  #tellElsewhere(): void {
    for (const worker of this.#workers()) {
      const others = [...this.#loads].filter(([id]) => id !== worker.id).map(([, loads]) => loads);
      send(worker, { type: 'elsewhere', loads: sumOf(others) });
    }
  }
}

function sumOf(all: readonly Loads[]): Loads {
  const replicas: Record<string, ReplicaLoad> = {};
  const queued: Record<string, number> = {};
  for (const loads of all) {
    for (const [key, [inFlight, tokens]] of Object.entries(loads.replicas)) {
      const [before, tokensBefore] = replicas[key] ?? [0, 0];
      replicas[key] = [before + inFlight, tokensBefore + tokens];
    }
    for (const [expert, waiting] of Object.entries(loads.queued))
      queued[expert] = (queued[expert] ?? 0) + waiting;
  }
  return { replicas, queued };
}

function sendTo(id: number, message: ToWorker): void {
  const worker = cluster.workers?.[id];
  if (worker) send(worker, message);
}

/** The primary's own end stays open until the worker says that it has the connection. */
function hand(worker: Worker, socket: Socket): void {
  const message: ToWorker = { type: 'connection' };
  // A failure means that the worker is gone, which is heard of by itself.
  if (worker.isConnected()) worker.process.send(message, socket, { keepOpen: true }, () => {});
}

function send(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message);
}
