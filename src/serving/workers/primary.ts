/**
 * The process that owns the workers: it starts them, replaces those that die or hang and says why, shares out slots,
 * passes loads on, and ends them in order. It accepts connections for them (entrance.ts) and reads none.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { describeError, UserError } from '../../core/errors.ts';
import { changed, type Drained } from '../fleet/drains.ts';
import type { Keeping, Signals } from '../fleet/keeping.ts';
import { Agreement } from './agreement.ts';
import { type Doorway, Entrance } from './entrance.ts';
import { LOADS_EVERY_MS, type Loads, type ReplicaLoad, type ToPrimary, type ToWorker } from './messages.ts';
import { MetricsRounds } from './metrics-rounds.ts';
import { Rounds } from './rounds.ts';
import { Silence } from './silence.ts';
import { type Grant, SlotLedger } from './slot-ledger.ts';

export interface PrimaryOptions {
  readonly workers: number;
  log(line: string): void;
  readonly host: string;
  readonly port: number;
  /** The config that every worker begins with. */
  readonly text: string;
  /** Milliseconds that running answers have when it ends. */
  readonly graceMs: number;
  /** What a worker sees of experts that are started as they are needed; null once it is gone. */
  onSignals(worker: number, signals: Signals | null): void;
  /** It was told to end, and no worker is left. */
  onEnd(): void;
  /** Has all workers take up the config as it is now; rejects with the reason where they do not. */
  reload(): Promise<void>;
  /** All workers serve at this address. */
  onServing(url: string): void;
}

interface WorkerProcess {
  readonly id: number;
  readonly child: ChildProcess;
  readonly doorway: Doorway;
  /** It has the config. */
  begun: boolean;
  serving: boolean;
  /** It has answered what it had and waits to be let go. */
  drained: boolean;
  readonly silence: Silence;
  loads: Loads;
}

/** A worker that died before it served is replaced only after this long, so that a broken start does not spin. */
const RESTART_MS = 2_000;
/** Starts that may fail in a row while no worker has ever served: whatever is wrong, the next would fail alike. */
const MOST_FAILED_STARTS = 5;
/** How long workers may take to make another config ready; one that hangs must not hold up reloads for ever. */
const PREPARE_MS = 30_000;
/** What a worker may take beyond the time for its answers before it is killed. */
const END_MS = 5_000;
const NO_LOADS: Loads = { replicas: {}, queued: {} };
/** Set for workers alone. */
const WORKER_FLAG = 'EXPERT_ROUTER_WORKER';

/** Whether this process is a worker of another. */
export function isWorker(): boolean {
  return process.env[WORKER_FLAG] !== undefined && process.send !== undefined;
}

/**
 * Young objects get 64 MB per half, not 16: fewer of a request's are still in use when they are collected, which saves a
 * tenth of its CPU for up to 150 MB of memory a worker. What the primary was started with comes after it and wins.
 */
const YOUNG_MEMORY = '--max-semi-space-size=64';

export class Primary {
  readonly #options: PrimaryOptions;
  readonly #ledger = new SlotLedger();
  readonly #metrics = new MetricsRounds();
  /** Of the dashboard. */
  readonly #answers = new Rounds<object, readonly object[]>((told) => told);
  readonly #secret = randomBytes(32).toString('hex');
  readonly #workers = new Map<number, WorkerProcess>();
  readonly #entrance = new Entrance();
  /** By operators; kept here, so that a worker that takes another's place knows it. */
  #drains: readonly Drained[] = [];
  #text: string;
  #nextWorker = 1;
  /** The worker that logs what all of them see alike; another takes over once it is gone. */
  #speaker: number | null = null;
  #nextRound = 0;
  #round: { readonly id: number; readonly agreement: Agreement } | null = null;
  #url = '';
  /** Whether some worker has served: the config can be served then. */
  #everServed = false;
  #failedStarts = 0;
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
    setInterval(() => this.#look(), LOADS_EVERY_MS).unref();
  }

  /** Lets every worker finish what it answers; called again, kills them. */
  end(): void {
    if (this.#ending) {
      this.#kill();
      return;
    }
    this.#ending = true;
    for (const worker of this.#workers.values()) {
      if (worker.serving) send(worker, { type: 'drain' });
      // One that is still starting has nothing to finish.
      else worker.child.kill('SIGTERM');
    }
    setTimeout(() => this.#kill(), this.#options.graceMs + END_MS).unref();
    if (this.#workers.size === 0) this.#close();
  }

  #close(): void {
    this.#entrance.close();
    this.#options.onEnd();
  }

  /**
   * Has every worker serve another config, or none: all make it ready, and only then all begin with it. One call at a
   * time. @param model id of the router model to serve it with @throws UserError with a worker's reason
   */
  async take(text: string, model: string): Promise<void> {
    const workers = [...this.#workers.values()].filter((worker) => worker.begun);
    const agreement = new Agreement(workers.map((worker) => worker.id));
    const id = this.#nextRound++;
    this.#round = { id, agreement };
    for (const worker of workers) send(worker, { type: 'prepare', id, text, model });
    const late = setTimeout(() => agreement.fail('a worker did not make it ready in time.'), PREPARE_MS);
    const verdict = await agreement.verdict;
    clearTimeout(late);
    this.#round = null;
    const problem = verdict ?? (this.#ending ? 'the gateway is shutting down.' : null);
    if (problem === null) this.#text = text;
    for (const worker of workers) send(worker, { type: problem === null ? 'commit' : 'abandon', id });
    if (problem !== null) throw new UserError(problem);
  }

  /** Tells every worker how an expert is kept. */
  keep(expert: string, keeping: Keeping): void {
    for (const worker of this.#workers.values()) send(worker, { type: 'keep', expert, keeping });
  }

  /** Not while the others are about to change their config: this one would begin with the old. */
  async #begin(worker: WorkerProcess): Promise<void> {
    while (this.#round) await this.#round.agreement.verdict.then(() => setImmediate());
    worker.begun = true;
    if (this.#speaker === null || !this.#workers.has(this.#speaker)) this.#speaker = worker.id;
    const speaks = this.#speaker === worker.id;
    const { workers } = this.#options;
    const [text, secret, drains] = [this.#text, this.#secret, this.#drains];
    send(worker, { type: 'begin', text, workers, speaks, secret, drains });
  }

  #start(): void {
    const id = this.#nextWorker++;
    const child = fork(process.argv[1]!, process.argv.slice(2), {
      env: { ...process.env, [WORKER_FLAG]: String(id) },
      execArgv: [YOUNG_MEMORY, ...process.execArgv],
    });
    const doorway: Doorway = { id, hand: (socket) => hand(child, socket) };
    const worker = {
      id,
      child,
      doorway,
      begun: false,
      serving: false,
      drained: false,
      silence: new Silence(),
      loads: NO_LOADS,
    };
    this.#workers.set(id, worker);
    child.on('message', (message: ToPrimary) => this.#receive(worker, message));
    child.on('error', () => {}); // that it could not be started or told something shows in its exit
    // Both dead and read to its last message, which may say that it has a connection. (An exit may be heard of
    // before that message, and a disconnect not at all while a connection is on its way.)
    child.on('close', () => this.#entrance.left(doorway));
    child.on('exit', (code, signal) => this.#exited(worker, code, signal));
  }

  #exited(worker: WorkerProcess, code: number | null, signal: NodeJS.Signals | null): void {
    const { id, serving, child } = worker;
    this.#workers.delete(id);
    this.#round?.agreement.gone(id);
    this.#metrics.gone(id);
    this.#answers.gone(id);
    this.#options.onSignals(id, null);
    this.#tell(this.#ledger.gone(id));
    if (this.#ending) {
      if (this.#workers.size === 0) this.#close();
      return;
    }
    this.#options.log(
      `Worker ${child.pid} ended (${signal ?? `code ${code}`}); its open answers are lost, another takes its place.`,
    );
    if (!serving && this.#isHopeless(signal)) {
      process.exitCode = 1;
      this.end();
      return;
    }
    setTimeout(() => this.#ending || this.#start(), serving ? 0 : RESTART_MS);
  }

  /** A worker that says why it cannot start speaks for all, until one has served; one that was killed does not. */
  #isHopeless(signal: NodeJS.Signals | null): boolean {
    if (this.#everServed) return false;
    this.#failedStarts += 1;
    return signal === null || this.#failedStarts >= MOST_FAILED_STARTS;
  }

  #receive(worker: WorkerProcess, message: ToPrimary): void {
    worker.silence.heard();
    switch (message.type) {
      case 'want': {
        const grant = this.#ledger.want(worker.id, message.key, message.slots, message.limit);
        if (grant) this.#tell([grant]);
        else
          for (const id of this.#ledger.holders(message.key, worker.id))
            this.#sendTo(id, { type: 'reclaim', key: message.key });
        return;
      }
      case 'give-back':
        this.#tell(this.#ledger.giveBack(worker.id, message.key, message.slots));
        return;
      case 'alive':
        worker.loads = message.loads ?? worker.loads;
        return;
      case 'signals':
        this.#options.onSignals(worker.id, message.signals);
        return;
      case 'moves':
        for (const one of this.#workers.values()) if (one !== worker && one.serving) send(one, message);
        return;
      case 'metrics':
        void this.#tellMetrics(worker, message.id);
        return;
      case 'own-metrics':
        this.#metrics.told(worker.id, message.id, message.metrics);
        return;
      case 'ask-all':
        void this.#tellAnswers(worker, message.id, message.question);
        return;
      case 'own-answer':
        this.#answers.told(worker.id, message.id, message.answer);
        return;
      case 'drain':
        this.#drains = changed(this.#drains, message.change);
        for (const one of this.#workers.values())
          if (one.begun) send(one, { type: 'drains', all: this.#drains });
        send(worker, { type: 'done', id: message.id, problem: null });
        return;
      case 'reload':
        void this.#reload(worker, message.id);
        return;
      case 'begin':
        void this.#begin(worker);
        return;
      case 'prepared':
        if (this.#round?.id === message.id) this.#round.agreement.answered(worker.id, message.problem);
        return;
      case 'taken':
        this.#entrance.taken(worker.doorway);
        return;
      case 'drained':
        this.#drained(worker);
        return;
      case 'serving':
        this.#serves(worker);
    }
  }

  #serves(worker: WorkerProcess): void {
    worker.serving = true;
    this.#everServed = true;
    if (this.#ending) send(worker, { type: 'drain' });
    this.#entrance.join(worker.doorway);
    if (
      this.#greeted ||
      [...this.#workers.values()].filter((one) => one.serving).length < this.#options.workers
    )
      return;
    this.#greeted = true;
    this.#options.onServing(this.#url);
  }

  /** While others serve, they take what comes; the last of all closes the door behind it. */
  #drained(worker: WorkerProcess): void {
    worker.drained = true;
    const last = this.#ending && [...this.#workers.values()].every((one) => one.drained || !one.serving);
    this.#entrance.leave(worker.doorway, last, () => send(worker, { type: 'leave' }));
  }

  async #tellMetrics(worker: WorkerProcess, id: number): Promise<void> {
    const page = await this.#metrics.collect(this.#serving, (one, round) =>
      this.#sendTo(one, { type: 'own-metrics', id: round }),
    );
    send(worker, { type: 'metrics', id, page });
  }

  async #tellAnswers(worker: WorkerProcess, id: number, question: object): Promise<void> {
    const answers = await this.#answers.collect(this.#serving, (one, round) =>
      this.#sendTo(one, { type: 'question', id: round, question }),
    );
    send(worker, { type: 'answers', id, answers });
  }

  async #reload(worker: WorkerProcess, id: number): Promise<void> {
    const problem = await this.#options.reload().then(
      () => null,
      (error: unknown) => describeError(error),
    );
    send(worker, { type: 'done', id, problem });
  }

  get #serving(): readonly number[] {
    return [...this.#workers.values()].filter((one) => one.serving).map((one) => one.id);
  }

  #tell(grants: readonly Grant[]): void {
    for (const { worker, key, slots } of grants) {
      this.#sendTo(worker, { type: 'granted', key, slots });
      // Who asked in vain before told only the holders of that time: this new one must pass it on as well.
      if (this.#ledger.isWanted(key)) this.#sendTo(worker, { type: 'reclaim', key });
    }
  }

  /** Tells every worker of the others' load, and ends those that hang. */
  #look(): void {
    const all = [...this.#workers.values()];
    for (const worker of all) {
      const others = all.filter((one) => one !== worker).map((one) => one.loads);
      send(worker, { type: 'elsewhere', loads: sumOf(others) });
      if (!worker.silence.look(!worker.serving || this.#round !== null)) continue;
      this.#options.log(`Worker ${worker.child.pid} hangs: it says nothing any more and is killed.`);
      worker.child.kill('SIGKILL');
    }
  }

  #kill(): void {
    for (const worker of this.#workers.values()) worker.child.kill('SIGKILL');
  }

  #sendTo(id: number, message: ToWorker): void {
    const worker = this.#workers.get(id);
    if (worker) send(worker, message);
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

/** The primary's own end stays open until the worker says that it has the connection. */
function hand(child: ChildProcess, socket: Socket): void {
  const message: ToWorker = { type: 'connection' };
  // A failure means that the worker is gone, which is heard of by itself.
  if (child.connected) child.send(message, socket, { keepOpen: true }, () => {});
}

function send({ child }: WorkerProcess, message: ToWorker): void {
  if (child.connected) child.send(message, () => {});
}
