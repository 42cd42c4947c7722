/**
 * `npm run fit`: fits the cost model to the published measurements in `evaluation/data` and writes
 * `src/simulating/cost/constants.ts`.
 */
import { availableParallelism } from 'node:os';
import { writeFileAtomically } from '../src/core/files.ts';
import { openPool } from '../src/learning/training/pool.ts';
import { constantsFile } from './fit/constants-file.ts';
import type { Kernels } from './fit/engines.ts';
import { fitKernels } from './fit/kernels.ts';
import { ENGINE_NAMES, engineFit } from './fit/workflow.ts';
import { runScript } from './script.ts';

const TARGET = 'src/simulating/cost/constants.ts';

await runScript(async () => {
  console.error('kernels …');
  const kernelFits = fitKernels();
  const kernels = Object.fromEntries(kernelFits.map((fit) => [fit.family, fit.kernels])) as Kernels;
  console.error('engines …');
  const pool = openPool(availableParallelism());
  const engines = await Promise.all(ENGINE_NAMES.map((engine) => pool.run(engineFit, { engine, kernels })));
  await pool.close();
  const named = Object.fromEntries(ENGINE_NAMES.map((name, i) => [name, engines[i]!]));
  await writeFileAtomically(TARGET, constantsFile(kernelFits, kernels, named));
  console.log(`wrote ${TARGET}`);
});
