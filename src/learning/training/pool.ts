/** Runs tasks on several threads. Results do not depend on how many: tasks are pure, and sums are added in order. */
import { Piscina } from 'piscina';
import { describeError, UserError } from '../../core/errors.ts';
import { onThisThread, type TaskRunner } from '../../core/tasks.ts';

export interface Pool extends TaskRunner {
  close(): Promise<void>;
}

/** Threads need compiled code: where this module runs from source (in tests), everything stays on one thread. */
export function openPool(threads: number): Pool {
  if (threads <= 1 || import.meta.url.endsWith('.ts')) return { ...onThisThread, close: async () => {} };
  const piscina = new Piscina({
    minThreads: threads,
    maxThreads: threads,
  });
  return {
    threads,
    run: (task, input) =>
      piscina.run(input, { filename: task.file, name: task.exportName }).catch((error: unknown) => {
        throw diedOf(error) ?? error;
      }),
    close: () => piscina.destroy(),
  };
}

/** An error saying why a thread died, or undefined if the task itself threw. */
function diedOf(error: unknown): UserError | undefined {
  const what = describeError(error);
  if (!/worker (exited|terminated)/i.test(what)) return undefined;
  return new UserError(
    `A training thread died (${what}). If memory ran out, use fewer --threads or --fit-on fewer prompts.`,
    { cause: error },
  );
}
