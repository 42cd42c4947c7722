/** The fit, engine by engine, so that each may run on a thread of its own. */
import { type Task, task } from '../../src/core/tasks.ts';
import type { EngineOverheads, MeasuredEngine } from '../../src/simulating/cost/efficiency.ts';
import { fitEngine, type Kernels } from './engines.ts';
import { schedule } from './replay.ts';
import { readCalibration } from './rows.ts';

export const ENGINE_NAMES: readonly MeasuredEngine[] = [
  'tensorrt-llm',
  'tensorrt-llm-0.14',
  'tensorrt-llm-0.10',
  'vllm',
];

interface EngineTask {
  readonly engine: MeasuredEngine;
  readonly kernels: Kernels;
}

/** An engine's overheads, from all of its rows. */
export const engineFit: Task<EngineTask, EngineOverheads> = task(
  import.meta.url,
  'engineFit',
  ({ engine, kernels }) => fitEngine(readCalibration(engine).rows.map(schedule), kernels),
);
