/**
 * Runs training's tasks on several threads, or on this one. Results never depend on which: tasks are pure and whoever
 * orders them adds results up in the order of the orders. It knows nothing of what the tasks do.
 */
import { Worker } from 'node:worker_threads';
import { runTask, type TaskInput, type TaskName, type TaskOutput } from './tasks.ts';

export interface Pool {
  readonly threads: number;
  run<N extends TaskName>(name: N, input: TaskInput<N>): Promise<TaskOutput<N>>;
  close(): Promise<void>;
}

/** Runs everything on the calling thread. */
export function inlinePool(): Pool {
  return {
    threads: 1,
    run: async (name, input) => runTask(name, input),
    close: async () => {},
  };
}

/** Threads need compiled code: where this module runs from source (in tests), everything stays on one thread. */
export function openPool(threads: number): Pool {
  if (threads <= 1 || import.meta.url.endsWith('.ts')) return inlinePool();
  return new WorkerPool(threads);
}

interface Waiting {
  readonly name: TaskName;
  readonly input: unknown;
  readonly resolve: (output: never) => void;
  readonly reject: (error: unknown) => void;
}

class WorkerPool implements Pool {
  readonly threads: number;
  private readonly idle: Worker[] = [];
  private readonly all: Worker[] = [];
  private readonly queue: Waiting[] = [];
  private readonly running = new Map<Worker, Waiting>();

  constructor(threads: number) {
    this.threads = threads;
    for (let index = 0; index < threads; index += 1) this.start();
  }

  private start(): void {
    const worker = new Worker(new URL('./worker.js', import.meta.url));
    worker.on('message', (answer: { output?: unknown; error?: unknown }) => this.settle(worker, answer));
    worker.on('error', (error) => this.settle(worker, { error }));
    this.all.push(worker);
    this.idle.push(worker);
  }

  private settle(worker: Worker, answer: { output?: unknown; error?: unknown }): void {
    const waiting = this.running.get(worker);
    this.running.delete(worker);
    this.idle.push(worker);
    if ('error' in answer) waiting?.reject(answer.error);
    else waiting?.resolve(answer.output as never);
    this.next();
  }

  run<N extends TaskName>(name: N, input: TaskInput<N>): Promise<TaskOutput<N>> {
    return new Promise((resolve, reject) => {
      this.queue.push({ name, input, resolve, reject });
      this.next();
    });
  }

  private next(): void {
    while (this.idle.length > 0 && this.queue.length > 0) {
      const worker = this.idle.pop()!;
      const waiting = this.queue.shift()!;
      this.running.set(worker, waiting);
      worker.postMessage({ id: 0, name: waiting.name, input: waiting.input });
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((worker) => worker.terminate()));
  }
}

/**
 * Runs one task per index with few in flight at a time, handing results on in order of index: memory stays bounded
 * and sums come out the same for any number of threads.
 */
export async function inOrder<T>(
  pool: Pool,
  count: number,
  start: (index: number) => Promise<T>,
  take: (result: T, index: number) => void,
): Promise<void> {
  const ahead = pool.threads * 2;
  const running: Promise<T>[] = [];
  for (let index = 0; index < count + ahead; index += 1) {
    if (index < count) {
      const task = start(index);
      task.catch(() => {});
      running.push(task);
    }
    if (index >= ahead && index - ahead < count) take(await running.shift()!, index - ahead);
  }
}
