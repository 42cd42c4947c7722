/** When requests are sent: a closed loop of users who wait for their answers, or an open loop of arrivals. */
import type { Random } from '../../core/random.ts';
import { arrivalTimes, type ClosedLoop, gap, type OpenLoop } from '../../simulating/workload/arrivals.ts';
import type { TracedRequest } from '../../simulating/workload/traces.ts';

export interface Driving {
  readonly now: () => number;
  readonly random: Random;
  /** Start and end of the stage, on the clock of `now`. */
  readonly from: number;
  readonly to: number;
  /** When the last user starts; users start one after another. */
  readonly rampTo: number;
  /** Sends a request; resolves when it has ended, with the backoff in ms after an error (else 0). */
  send(intended: number, traced?: TracedRequest): Promise<number>;
  readonly stopped: AbortSignal;
}

/** Resolves when no user will send another request. */
export async function driveClosed(loop: ClosedLoop, driving: Driving): Promise<void> {
  const { users } = loop;
  await Promise.all(Array.from({ length: users }, (_, user) => runUser(user / users, loop, driving)));
}

async function runUser(offset: number, { thinkSeconds }: ClosedLoop, driving: Driving): Promise<void> {
  const { now, random, from, to, rampTo, send, stopped } = driving;
  await until(from + offset * (rampTo - from), driving);
  while (now() < to && !stopped.aborted) {
    const backOffMs = await send(now());
    const thinkMs = thinkSeconds > 0 ? gap(random, 1 / thinkSeconds) * 1000 : 0;
    const wait = Math.max(backOffMs, thinkMs);
    if (now() + wait >= to) return;
    if (wait > 0) await until(now() + wait, driving);
  }
}

/** Resolves when the last arrival has been sent; answers may still be pending. */
export async function driveOpen(
  loop: OpenLoop,
  traced: readonly TracedRequest[] | null,
  driving: Driving,
): Promise<void> {
  const { from, to, random, send, stopped } = driving;
  let index = 0;
  for (const seconds of arrivalTimes(loop, (to - from) / 1000, random)) {
    const intended = from + seconds * 1000;
    await until(intended, driving);
    if (stopped.aborted) return;
    void send(intended, traced?.[index]);
    index += 1;
  }
}

function until(time: number, { now, stopped }: Driving): Promise<void> {
  const wait = time - now();
  if (wait <= 0 || stopped.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      stopped.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, wait);
    stopped.addEventListener('abort', done, { once: true });
  });
}
