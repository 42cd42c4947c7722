/**
 * One expert whose server runs while it is needed: started when a request waits for it or a prompt belongs to it, stopped
 * once nobody has needed it for a while. Whoever looks at the clock calls `look`; nothing here does so by itself.
 */
import type { Keeping, Signal } from '../fleet/keeping.ts';
import type { Running } from './command.ts';

/** A command, or what an engine that runs already is asked to do. */
export type Task = readonly string[] | EngineTask;

export interface EngineTask {
  /** Such as `its engine loads it`. */
  readonly says: string;
  run(line: (text: string) => void): Running;
}

/** Times in milliseconds. */
export interface StartSpec {
  readonly id: string;
  readonly start: Task;
  /** Null where the process that `start` leaves running is the server. */
  readonly stop: Task | null;
  readonly idleMs: number;
  /** A start that takes longer has failed. */
  readonly limitMs: number;
}

export interface KeptParts {
  run(argv: readonly string[], line: (text: string) => void): Running;
  log(line: string): void;
  /** Milliseconds that never run backwards. */
  now(): number;
}

/** After the first failure; twice as long after each further one. */
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 300_000;
/** A server that has not been there for so long has ended. */
const GONE_MS = 5_000;
const OPEN: Keeping = { state: 'open' };

type Phase = 'off' | 'starting' | 'up' | 'parking' | 'stopping';

export class KeptExpert {
  spec: StartSpec;
  readonly #parts: KeptParts;
  #phase: Phase = 'off';
  #keeping: Keeping = OPEN;
  /** When this phase began. */
  #since: number;
  /** When it was last needed. */
  #used: number;
  /** Since when its server is not there, while it should be. */
  #missing: number | null = null;
  /** Since when a server of it has not its model, while others have. */
  #lacking: number | null = null;
  #failures = 0;
  #notBefore = 0;
  /** What `start` left running, or still runs; null once it has ended. */
  #process: Running | null = null;
  /** What ended badly and is not judged yet. */
  #problem: string | null = null;
  #stopping: Promise<void> | null = null;
  #told = false;
  #closed = false;

  constructor(spec: StartSpec, parts: KeptParts) {
    this.spec = spec;
    this.#parts = parts;
    this.#since = this.#used = parts.now();
  }

  get keeping(): Keeping {
    return this.#keeping;
  }

  /** @param signals of every process @param arrived whether a prompt of it has come since the last look */
  look(signals: readonly Signal[], arrived: boolean): void {
    if (this.#closed) return;
    const now = this.#parts.now();
    const ready = signals.some((one) => one.ready);
    const busy = signals.some(({ inFlight, queued }) => inFlight + queued > 0);
    if (busy || arrived) this.#used = now;
    switch (this.#phase) {
      case 'off':
        if (ready) this.#enter('up');
        else if (this.#used > this.#since && now >= this.#notBefore) this.#start();
        return;
      case 'starting':
        this.#whileStarting(ready);
        return;
      case 'up':
        this.#whileUp(ready);
        if (!isCommand(this.spec.start)) this.#reload(signals.some(({ unloaded }) => unloaded === true));
        return;
      case 'parking':
        if (busy || arrived) this.#enter('up');
        else if (signals.every(({ keeping }) => keeping === 'parked')) this.#stop();
        return;
      case 'stopping':
    }
  }

  /**
   * Runs nothing any more. A `stop` under way is waited for, and so is a `start` that is to return; a server that was
   * started as a process of ours is asked to end and waited for.
   */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#stopping) await this.#stopping;
    this.endServer();
    await this.#process?.ended;
  }

  /** Asks the server to end that was started as a process of ours, and gives up asking an engine. */
  endServer(): void {
    if (this.spec.stop === null || !isCommand(this.spec.start)) this.#process?.end();
  }

  #enter(phase: Phase, keeping: Keeping = OPEN): void {
    this.#phase = phase;
    this.#keeping = keeping;
    this.#since = this.#parts.now();
    this.#missing = null;
    if (phase === 'up') this.#used = this.#since;
  }

  #start(): void {
    this.#problem = null;
    this.#told = false;
    this.#enter('starting');
    // One that did not answer in time may still be loading its model: a second beside it would not help.
    if (this.#process !== null) return;
    this.#say(`is started: ${isCommand(this.spec.start) ? this.spec.start.join(' ') : this.spec.start.says}`);
    this.#runStart();
  }

  #runStart(): void {
    const running = this.#run(this.spec.start);
    this.#process = running;
    void running.ended.then((problem) => {
      this.#process = null;
      if (this.#phase === 'stopping' || this.#closed) return;
      this.#problem = problem;
      if (this.#phase === 'up' && problem !== null) this.#ended(problem);
    });
  }

  #whileStarting(ready: boolean): void {
    if (ready) this.#started();
    else if (this.#problem !== null) this.#failed(this.#problem);
    else if (this.#parts.now() - this.#since >= this.spec.limitMs) this.#late();
  }

  #started(): void {
    this.#say(`runs, ${Math.round((this.#parts.now() - this.#since) / 1000)} s after its start.`);
    this.#failures = 0;
    this.#enter('up');
  }

  #late(): void {
    const seconds = this.spec.limitMs / 1000;
    this.#failed(
      `its server did not answer within ${seconds} s; its output says why, or start_timeout is too short`,
    );
  }

  #failed(problem: string): void {
    const retryMs = this.#pause();
    this.#say(
      `could not be started: ${problem}. The next try is not before ${Math.round(retryMs / 1000)} s.`,
    );
    this.#enter('off', { state: 'troubled', problem, retryMs });
  }

  #pause(): number {
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, LONGEST_PAUSE_MS);
    this.#failures += 1;
    this.#notBefore = this.#parts.now() + pause;
    return pause;
  }

  /** Its server was a process of ours, and has died. Those who look for it will miss it; it is not started at once. */
  #ended(problem: string): void {
    this.#say(`has died: ${problem}.`);
    this.#pause();
  }

  #whileUp(ready: boolean): void {
    const now = this.#parts.now();
    this.#missing = ready ? null : (this.#missing ?? now);
    if (this.#missing !== null) {
      if (now - this.#missing >= GONE_MS && this.#process === null) this.#enter('off');
      return;
    }
    if (now - this.#used < this.spec.idleMs) return;
    if (this.spec.stop === null && this.#process === null) this.#cannotStop();
    else this.#enter('parking', { state: 'parked' });
  }

  /** One of its servers that was not there when the others loaded its model, or has been started anew, loads it now. */
  #reload(unloaded: boolean): void {
    const now = this.#parts.now();
    this.#lacking = unloaded ? (this.#lacking ?? now) : null;
    if (this.#phase !== 'up' || this.#lacking === null || this.#process !== null) return;
    if (now - this.#lacking < GONE_MS) return;
    this.#lacking = null;
    this.#runStart();
  }

  #cannotStop(): void {
    if (!this.#told) this.#say('is idle and stays: this gateway did not start it, and there is no `stop`.');
    this.#told = true;
  }

  /** Nothing is with it, and everybody knows that it takes nothing. */
  #stop(): void {
    const { stop, idleMs } = this.spec;
    this.#phase = 'stopping';
    this.#say(`is stopped after ${idleMs / 1000} s without a request.`);
    const ended = stop === null ? this.#endProcess() : this.#run(stop).ended;
    this.#stopping = ended.then((problem) => {
      this.#stopping = null;
      if (problem !== null) this.#say(`could not be stopped: ${problem}.`);
      // One that could not be stopped is tried again once it has been idle as long again.
      this.#enter(problem === null ? 'off' : 'up');
    });
  }

  /** However it ends, it has been told to. */
  async #endProcess(): Promise<null> {
    this.#process?.end();
    await this.#process?.ended;
    return null;
  }

  #run(task: Task): Running {
    const line = (text: string): void => this.#parts.log(`Expert '${this.spec.id}' says: ${text}`);
    return isCommand(task) ? this.#parts.run(task, line) : task.run(line);
  }

  #say(what: string): void {
    this.#parts.log(`Expert '${this.spec.id}' ${what}`);
  }
}

function isCommand(task: Task): task is readonly string[] {
  return Array.isArray(task);
}
