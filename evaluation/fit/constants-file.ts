/** The fitted constants as a source file, with their origin and quality. */
import type { EngineOverheads } from '../../src/simulating/cost/efficiency.ts';
import type { Kernels } from './engines.ts';
import type { KernelFit } from './kernels.ts';

const HEADER = `/**
 * The fitted constants of the cost model: efficiencies of kernels by GPU family, overheads by engine.
 * Written by \`npm run fit\`; do not edit by hand. Times in seconds, shares of the data sheet otherwise.
 *
 * Origin: kernels from NVIDIA AIConfigurator's measured tables (package aiconfigurator-core 0.12.0, Apache-2.0; thinned in evaluation/data/); engines from TensorRT-LLM's performance
 * pages (Apache-2.0) and AIConfigurator's end-to-end sample, as evaluation/data/ has them.
 */
// biome-ignore-all lint/suspicious/noApproximativeNumericConstant: a fitted number may resemble a famous one
import type { GpuFamily } from '../hardware/gpu.ts';
import type { EngineOverheads, KernelEfficiency, MeasuredEngine } from './efficiency.ts';
`;

/** Four significant digits: more than the data carry. */
function source(value: unknown, indent = ''): string {
  if (typeof value === 'number') return String(Number(value.toPrecision(4)));
  const entries = Object.entries(value as Record<string, unknown>);
  const inner = `${indent}  `;
  const lines = entries.map(
    ([key, v]) => `${inner}${/^[a-z0-9]+$/i.test(key) ? key : `'${key}'`}: ${source(v, inner)},`,
  );
  return `{\n${lines.join('\n')}\n${indent}}`;
}

export function constantsFile(
  kernelFits: readonly KernelFit[],
  kernels: Kernels,
  engines: Readonly<Record<string, EngineOverheads>>,
): string {
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
export const KERNELS: Readonly<Record<GpuFamily, KernelEfficiency>> = ${source(kernels)};

export const ENGINES: Readonly<Record<MeasuredEngine, EngineOverheads>> = ${source(engines)};
`;
}
