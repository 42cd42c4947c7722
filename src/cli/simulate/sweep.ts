/** Runs the stages of a sweep on all cores, each in its own thread; results come in the order of the tasks. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { UserError } from '../../core/errors.ts';
import type { StageMeasures } from '../../simulating/fleet/measures.ts';
import type { Load } from './compose.ts';
import { type Answer, StageRunner, type StageTask } from './task.ts';

/** Simulated seconds times users below which starting threads costs more than they save. */
const WORTH_THREADS = 200_000;

/**
 * @param load of all of them; threads read it again
 * @param done told how many have ended
 * @throws {UserError} of the first task that cannot be simulated
 */
export async function sweep(
  tasks: readonly StageTask[],
  load: Load,
  weight: number,
  done: (count: number) => void,
): Promise<readonly StageMeasures[]> {
  const threads = Math.min(tasks.length, availableParallelism());
  // Sources that are not compiled cannot be run by a plain thread.
  const compiled = import.meta.url.endsWith('.js');
  if (threads < 2 || !compiled || weight * tasks.length < WORTH_THREADS) return inTurn(tasks, load, done);
  const results = new Array<StageMeasures>(tasks.length);
  let next = 0;
  let ended = 0;
  await Promise.all(
    Array.from({ length: threads }, async () => {
      const worker = new Worker(new URL('./sweep-thread.js', import.meta.url));
      try {
        while (next < tasks.length) {
          const at = next++;
          results[at] = await ask(worker, tasks[at]!);
          done(++ended);
        }
      } finally {
        await worker.terminate();
      }
    }),
  );
  return results;
}

async function inTurn(
  tasks: readonly StageTask[],
  load: Load,
  done: (count: number) => void,
): Promise<readonly StageMeasures[]> {
  const runner = new StageRunner(load);
  const results: StageMeasures[] = [];
  for (const task of tasks) {
    results.push(await runner.run(task));
    done(results.length);
  }
  return results;
}

function ask(worker: Worker, task: StageTask): Promise<StageMeasures> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (answer: Answer) => {
      worker.off('error', reject);
      if ('measures' in answer) resolve(answer.measures);
      else reject('refused' in answer ? new UserError(answer.refused) : new Error(answer.failed));
    });
    worker.postMessage(task);
  });
}
