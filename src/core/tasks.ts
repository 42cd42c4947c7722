/** Pure functions that may run on another thread, and the interface of what runs them. */

/**
 * A function of plain data that its module exports under `exportName`. Another thread imports the module and calls the
 * export, so a task may use nothing but its input.
 */
export type Task<I, O> = ((input: I) => O | Promise<O>) & {
  /** URL of the module. */
  readonly file: string;
  readonly exportName: string;
};

/** Declares a task: `export const double = task(import.meta.url, 'double', (n: number) => 2 * n)`. */
export function task<I, O>(file: string, exportName: string, act: (input: I) => O | Promise<O>): Task<I, O> {
  return Object.assign((input: I) => act(input), { file, exportName });
}

export interface TaskRunner {
  readonly threads: number;
  /** Rejects with what the task threw, or with `UserError` when its thread died. */
  run<I, O>(task: Task<I, O>, input: I): Promise<O>;
}

/** Runs every task on the calling thread. */
export const onThisThread: TaskRunner = { threads: 1, run: async (task, input) => task(input) };

/**
 * Runs `count` tasks, few in flight at a time, and hands the results to `take` in order of index: memory stays bounded,
 * and sums are the same for any number of threads.
 */
export async function inOrder<T>(
  runner: TaskRunner,
  count: number,
  start: (index: number) => Promise<T>,
  take: (result: T, index: number) => void,
): Promise<void> {
  const ahead = runner.threads * 2;
  const running: Promise<T>[] = [];
  for (let index = 0; index < count + ahead; index += 1) {
    if (index < count) {
      const started = start(index);
      started.catch(() => {});
      running.push(started);
    }
    if (index >= ahead && index - ahead < count) take(await running.shift()!, index - ahead);
  }
}

/** An array that threads share without copying. */
export function sharedFloats(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(4 * length));
}

/** Texts as UTF-8 bytes of a JSON list: cheaper to store, and to send to another thread, than strings. */
export type TextBatch = Uint8Array;

export function packTexts(texts: readonly string[]): TextBatch {
  return Buffer.from(JSON.stringify(texts));
}

export function unpackTexts(batch: TextBatch): readonly string[] {
  return JSON.parse(Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength).toString()) as string[];
}
