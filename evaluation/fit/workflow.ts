/**
 * The whole fit in one call: kernels from measured kernels, then each engine's overheads from published serving times.
 */
import type { EngineName, EngineOverheads } from '../../src/simulating/cost/efficiency.ts';
import { fitEngine, fitPerRequest, type Kernels, ofEngine } from './engines.ts';
import { fitKernels, type KernelFit } from './kernels.ts';
import { type Schedule, schedule } from './replay.ts';
import { type Excluded, readCalibration } from './rows.ts';

export const ENGINE_NAMES: readonly EngineName[] = [
  'tensorrt-llm',
  'tensorrt-llm-0.14',
  'tensorrt-llm-0.10',
  'vllm',
  'sglang',
];

export interface Fit {
  readonly kernelFits: readonly KernelFit[];
  readonly kernels: Kernels;
  readonly engines: Readonly<Record<EngineName, EngineOverheads>>;
  readonly schedules: readonly Schedule[];
  readonly excluded: readonly Excluded[];
}

/** @param folder the calibration folder; @param progress called with what is being fitted */
export function fitAll(folder: string, progress: (what: string) => void): Fit {
  progress('kernels');
  const kernelFits = fitKernels(folder);
  const kernels = Object.fromEntries(kernelFits.map((fit) => [fit.family, fit.kernels])) as Kernels;
  const { rows, excluded } = readCalibration(folder);
  progress(`scheduling ${rows.length} rows`);
  const schedules = rows.map(schedule);
  const fitted = ENGINE_NAMES.map((name) => {
    progress(`engine ${name}`);
    const mine = ofEngine(schedules, name);
    return [name, fitPerRequest(mine, kernels, fitEngine(mine, kernels))] as const;
  });
  const engines = Object.fromEntries(fitted) as Record<EngineName, EngineOverheads>;
  return { kernelFits, kernels, engines, schedules, excluded };
}
