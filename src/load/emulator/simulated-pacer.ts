/** Paces an emulated server by the simulator's engine, in real time or slower by a given factor. */
import { Fifo } from '../../core/fifo.ts';
import type { DeploymentNames } from '../../simulating/deployment.ts';
import type { EngineLimits } from '../../simulating/memory.ts';
import { type PacedRequest, Pacer as SimulatedEngine } from '../../simulating/pacer.ts';
import type { EngineState, Job, Pacer, Ticket } from './pacer.ts';
import type { Task, TimerWheel } from './timer-wheel.ts';

/** A request that has not entered the engine yet. */
interface Arrival extends PacedRequest {
  /** The engine's seconds. */
  readonly at: number;
}

interface Recipient {
  readonly job: Job;
  sent: number;
}

export class SimulatedPacer implements Pacer {
  readonly #engine: SimulatedEngine;
  readonly #wheel: TimerWheel;
  readonly #now: () => number;
  /** Milliseconds of the wheel per second of the engine. */
  readonly #stretch: number;
  /** Submitted, but still within the time that the engine's front end takes. */
  readonly #arriving = new Fifo<Arrival>();
  readonly #recipients = new Map<number, Recipient>();
  #lastId = 0;
  #alarm: Task | null = null;

  /** @param now on the wheel's clock, in ms @param slowDown factor by which everything takes longer than simulated */
  constructor(engine: SimulatedEngine, wheel: TimerWheel, now: () => number, slowDown = 1) {
    this.#engine = engine;
    this.#wheel = wheel;
    this.#now = now;
    this.#stretch = 1000 * slowDown;
  }

  submit(job: Job): Ticket | null {
    this.#lastId += 1;
    const id = this.#lastId;
    // An engine's output comes a constant lag after its steps; entering that much later has the same effect.
    const at = this.#seconds(this.#now()) + this.#engine.lagSeconds;
    const arrival = { id, at, promptTokens: job.promptTokens, outputTokens: job.outputTokens };
    if (!this.#engine.canEverRun(arrival)) return null;
    this.#recipients.set(id, { job, sent: 0 });
    this.#arriving.push(arrival);
    this.#wakeAt(at);
    return { withdraw: () => this.#withdraw(id) };
  }

  state(): EngineState {
    const state = this.#engine.state();
    return { ...state, waiting: state.waiting + this.#arriving.size };
  }

  /** Requests enter at their intended times, however late the wheel calls. */
  #letIn(now: number): void {
    for (;;) {
      const arrival = this.#arriving.peek();
      if (!arrival || arrival.at > now) return;
      this.#arriving.shift();
      this.#engine.submit(arrival, arrival.at);
    }
  }

  #deliver(): void {
    const now = this.#seconds(this.#now());
    this.#letIn(now);
    const { tokens } = this.#engine.due(now);
    for (const { id, generated, finished } of tokens) {
      const recipient = this.#recipients.get(id);
      if (!recipient) continue;
      // Before the last token, because its receiver withdraws a job that the engine has already released.
      if (finished) this.#recipients.delete(id);
      for (; recipient.sent < generated; recipient.sent += 1) recipient.job.token();
    }
    // A job withdrawn just now may have changed when the next step ends.
    this.#wakeAt(
      Math.min(this.#engine.nextStepEnd(now), this.#arriving.peek()?.at ?? Number.POSITIVE_INFINITY),
    );
  }

  #withdraw(id: number): void {
    if (!this.#recipients.delete(id)) return;
    const now = this.#seconds(this.#now());
    this.#letIn(now);
    if (this.#arriving.remove((arrival) => arrival.id === id)) return;
    this.#engine.cancel(id, now);
    this.#wakeAt(this.#engine.nextStepEnd(now));
  }

  /** Schedules a call at the engine's second `at`, unless an earlier one is already scheduled. */
  #wakeAt(at: number): void {
    if (at === Number.POSITIVE_INFINITY) return;
    const due = at * this.#stretch;
    if (this.#alarm && this.#alarm.due <= due) return;
    if (this.#alarm) this.#alarm.dead = true;
    this.#alarm = {
      due,
      dead: false,
      run: () => {
        this.#alarm = null;
        this.#deliver();
      },
    };
    this.#wheel.schedule(this.#alarm, due);
  }

  #seconds(milliseconds: number): number {
    return milliseconds / this.#stretch;
  }
}

/** Makes engines of this deployment, one per server. */
export function simulatedEngine(
  names: DeploymentNames,
  limits: EngineLimits,
  slowDown: number,
): (wheel: TimerWheel, now: () => number) => Pacer {
  return (wheel, now) => new SimulatedPacer(new SimulatedEngine(names, limits), wheel, now, slowDown);
}
