/** Entry point of a training thread: runs one task after another as they come. It knows nothing of what they do. */
import { parentPort } from 'node:worker_threads';
import { runTask, type TaskInput, type TaskName } from './tasks.ts';

export interface Order {
  readonly id: number;
  readonly name: TaskName;
  readonly input: TaskInput<TaskName>;
}

parentPort?.on('message', ({ id, name, input }: Order) => {
  try {
    parentPort?.postMessage({ id, output: runTask(name, input) });
  } catch (error) {
    parentPort?.postMessage({ id, error });
  }
});
