/** Residuals of left-out rows, by configuration, as a source file: what bands of predictions are computed from. */
import { quantileOf } from '../../src/core/quantile.ts';
import { countParameters } from '../../src/simulating/model/shape.ts';
import type { Metric, RowError } from './errors.ts';

const HEADER = `/**
 * How far predictions were off on published measurements that the fit had not seen, by configuration.
 * Written by \`npm run bench:simulator\`; do not edit by hand. Logarithms of measured over predicted.
 */
import type { Residual } from './residual.ts';

export const RESIDUALS: readonly Residual[] = [
`;

export function residualsFile(errors: readonly RowError[]): string {
  const groups = new Map<string, RowError[]>();
  for (const error of errors) {
    const d = error.row.deployment;
    const weights = countParameters(d.model);
    const billions = (n: number): number => Number((n / 1e9).toPrecision(3));
    const key = [
      `engine: '${d.engine}'`,
      `gpu: '${d.gpu.name}'`,
      `precision: '${d.precision.name}'`,
      `degree: ${d.tensorParallel}`,
      `billions: ${billions(weights.total)}`,
      `active: ${billions(weights.active)}`,
      `metric: '${error.metric satisfies Metric}'`,
    ].join(', ');
    const members = groups.get(key);
    if (members) members.push(error);
    else groups.set(key, [error]);
  }
  const lines = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, members]) => {
      const logs = members.map(({ measured, predicted }) => Math.log(measured / predicted));
      const at = (share: number): string => quantileOf(logs, share).toFixed(3);
      return `  { ${key}, rows: ${members.length}, low: ${at(0.1)}, high: ${at(0.9)} },`;
    });
  return `${HEADER}${lines.join('\n')}\n];\n`;
}
