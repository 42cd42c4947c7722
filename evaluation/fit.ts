/**
 * `npm run fit -- [folder]`: fits the cost model to the calibration data and writes `src/simulating/cost/constants.ts`.
 * The folder defaults to `../shared/data/calibration`, or `EXPERT_ROUTER_SHARED`.
 */
import { writeFileAtomically } from '../src/core/files.ts';
import { type Fit, fitAll } from './fit/workflow.ts';
import { calibrationFolder, runScript } from './script.ts';

const TARGET = 'src/simulating/cost/constants.ts';

const HEADER = `/**
 * The fitted constants of the cost model: efficiencies of kernels by GPU family, overheads by engine.
 * Written by \`npm run fit\`; do not edit by hand. Times in seconds, shares of the data sheet otherwise.
 *
 * Origin: kernels from NVIDIA AIConfigurator's measured tables (Apache-2.0); engines from TensorRT-LLM's performance
 * pages (Apache-2.0) and AIConfigurator's end-to-end sample. Only these derived constants are part of this project.
 */
import type { Gpu } from '../hardware/gpu.ts';
import type { EngineName, EngineOverheads, KernelEfficiency } from './efficiency.ts';
`;

/** Four significant digits: more than the data justify. */
function source(value: unknown, indent = ''): string {
  if (typeof value === 'number') return String(Number(value.toPrecision(4)));
  const entries = Object.entries(value as Record<string, unknown>);
  const inner = `${indent}  `;
  const lines = entries.map(
    ([key, v]) => `${inner}${/^[a-z0-9]+$/i.test(key) ? key : `'${key}'`}: ${source(v, inner)},`,
  );
  return `{\n${lines.join('\n')}\n${indent}}`;
}

function constantsFile({ kernelFits, kernels, engines }: Fit): string {
  const quality = kernelFits.map(
    ({ family, quality: q }) =>
      ` * ${family}: ${Object.entries(q)
        .map(([name, { error, rows }]) => `${name} ${(100 * error).toFixed(1)} % of ${rows}`)
        .join(', ')}`,
  );
  return `${HEADER}
/**
 * Mean error of each kernel's formula over its measured rows:
${quality.join('\n')}
 */
export const KERNELS: Readonly<Record<Gpu['family'], KernelEfficiency>> = ${source(kernels)};

export const ENGINES: Readonly<Record<EngineName, EngineOverheads>> = ${source(engines)};
`;
}

await runScript(async () => {
  const fit = fitAll(calibrationFolder(process.argv[2]), (what) => console.error(what));
  await writeFileAtomically(TARGET, constantsFile(fit));
  console.log(`wrote ${TARGET}: ${fit.schedules.length} rows used`);
  for (const { reason, rows } of fit.excluded) console.log(`left out ${rows}: ${reason}`);
});
