/** A thread of a sweep: runs the stages it is sent, one after the other. Started by `sweep.ts` alone. */
import { parentPort } from 'node:worker_threads';
import { UserError } from '../../core/errors.ts';
import { type Answer, StageRunner, type StageTask } from './task.ts';

const runner = new StageRunner();

async function answer(task: StageTask): Promise<Answer> {
  try {
    return { measures: await runner.run(task) };
  } catch (error) {
    if (error instanceof UserError) return { refused: error.message };
    return { failed: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

parentPort?.on('message', (task: StageTask) => {
  void answer(task).then((result) => parentPort?.postMessage(result));
});
