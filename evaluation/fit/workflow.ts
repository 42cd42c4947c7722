/**
 * The whole fit in one call: kernels from measured kernels, then each engine's overheads from published serving times.
 */

import { ENGINES, KERNELS } from '../../src/simulating/cost/constants.ts';
import type { EngineOverheads, MeasuredEngine } from '../../src/simulating/cost/efficiency.ts';
import { fitClients, fitEngine, type Kernels, ofEngine } from './engines.ts';
import { fitKernels, type KernelFit } from './kernels.ts';
import { type Schedule, schedule } from './replay.ts';
import { type Excluded, readCalibration } from './rows.ts';

export const ENGINE_NAMES: readonly MeasuredEngine[] = [
  'tensorrt-llm',
  'tensorrt-llm-0.14',
  'tensorrt-llm-0.10',
  'vllm',
];

export interface Fit {
  readonly kernelFits: readonly KernelFit[];
  readonly kernels: Kernels;
  readonly engines: Readonly<Record<MeasuredEngine, EngineOverheads>>;
  /** By engine: seconds that each harness's client adds to a first token. */
  readonly clients: Readonly<Record<MeasuredEngine, Readonly<Record<string, number>>>>;
  readonly schedules: readonly Schedule[];
  readonly excluded: readonly Excluded[];
}

/** @param folder the calibration folder; @param progress called with what is being fitted */
export function fitAll(folder: string, progress: (what: string) => void): Fit {
  progress('kernels');
  const kernelFits = fitKernels();
  const kernels = Object.fromEntries(kernelFits.map((fit) => [fit.family, fit.kernels])) as Kernels;
  const { rows, excluded } = readCalibration(folder);
  progress(`scheduling ${rows.length} rows`);
  const schedules = rows.map(schedule);
  const engines = {} as Record<MeasuredEngine, EngineOverheads>;
  const clients = {} as Record<MeasuredEngine, Readonly<Record<string, number>>>;
  for (const name of ENGINE_NAMES) {
    progress(`engine ${name}`);
    const mine = ofEngine(schedules, name);
    engines[name] = fitEngine(mine, kernels);
    clients[name] = fitClients(mine, kernels, engines[name]);
  }
  return { kernelFits, kernels, engines, clients, schedules, excluded };
}

/** The constants as they are shipped, laid beside the rows: what is measured without fitting anything anew. */
export function shippedFit(folder: string): Omit<Fit, 'kernelFits'> {
  const { rows, excluded } = readCalibration(folder);
  const schedules = rows.map(schedule);
  const clients = {} as Record<MeasuredEngine, Readonly<Record<string, number>>>;
  for (const name of ENGINE_NAMES)
    clients[name] = fitClients(ofEngine(schedules, name), KERNELS, ENGINES[name]);
  return { kernels: KERNELS, engines: ENGINES, clients, schedules, excluded };
}
