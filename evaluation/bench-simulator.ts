/**
 * `npm run bench:simulator -- [folder]`: predictions against every usable calibration row: in sample, and with the row's
 * configuration, its model, or its GPU left out of the fit. Writes a JSON report, and the residuals from which every
 * prediction's band is computed (`src/simulating/cost/residuals.ts`).
 */

import { writeFileAtomically } from '../src/core/files.ts';
import { progressBar } from '../src/core/progress.ts';
import type { MeasuredEngine } from '../src/simulating/cost/efficiency.ts';
import { describeDeployment } from '../src/simulating/deployment.ts';
import {
  byConfiguration,
  byGpu,
  byModel,
  type ErrorGroup,
  errorsOf,
  group,
  leaveOut,
  type RowError,
} from './bench/errors.ts';
import { residualsFile } from './bench/residuals-file.ts';
import type { CalibrationRow } from './fit/rows.ts';
import { shippedFit } from './fit/workflow.ts';
import { calibrationFolder, runScript } from './script.ts';

const REPORT = '.cache/bench-simulator.json';
const RESIDUALS = 'src/simulating/cost/residuals.ts';

const GROUPINGS: Readonly<Record<string, (error: RowError) => string>> = {
  metric: () => 'all',
  engine: ({ row }) => row.deployment.engine,
  version: ({ row }) => row.version,
  model: ({ row }) => row.deployment.model.name,
  gpu: ({ row }) => row.deployment.gpu.name,
  'tensor parallel': ({ row }) => `TP${row.deployment.tensorParallel}`,
  precision: ({ row }) => row.deployment.precision.name,
  lengths: ({ row }) => `${row.input}/${row.output}`,
};

const measured = (row: CalibrationRow): MeasuredEngine => row.deployment.engine as MeasuredEngine;

function table(title: string, groups: readonly ErrorGroup[]): string {
  const percent = (x: number): string => `${(100 * x).toFixed(1)} %`.padStart(9);
  const lines = groups.map(
    (g) =>
      `${g.metric.padEnd(11)} ${g.name.padEnd(24)} ${String(g.rows).padStart(5)} ${percent(g.mape)} ${percent(g.median)} ${percent(g.p90)} ${percent(g.bias)}`,
  );
  const head = `${'metric'.padEnd(11)} ${title.padEnd(24)} ${'rows'.padStart(5)} ${'MAPE'.padStart(9)} ${'median'.padStart(9)} ${'p90'.padStart(9)} ${'bias'.padStart(9)}`;
  return [head, ...lines, ''].join('\n');
}

await runScript(async () => {
  const bar = progressBar('left-out folds', 'items');
  const fit = shippedFit(calibrationFolder(process.argv[2]));
  const inSample = fit.schedules.flatMap((s) =>
    errorsOf(s.row, fit.kernels, fit.engines[measured(s.row)], fit.clients[measured(s.row)]),
  );
  const told = (done: number, total: number): void => bar.update(done, total);
  const leftOut = leaveOut(fit, byConfiguration, told);
  const withoutModel = leaveOut(fit, byModel, told);
  const withoutGpu = leaveOut(fit, byGpu, told);
  bar.finish();
  console.log(
    `${fit.schedules.length} rows; left out: ${fit.excluded.map((e) => `${e.rows} (${e.reason})`).join('; ')}\n`,
  );
  const whole = {
    'in sample': inSample,
    'configuration left out': leftOut,
    'model left out': withoutModel,
    'GPU left out': withoutGpu,
  };
  for (const [title, errors] of Object.entries(whole))
    console.log(table(title, group(errors, GROUPINGS.metric!)));
  console.log('By class, configuration left out of the fit (the honest figure)');
  for (const [title, key] of Object.entries(GROUPINGS)) console.log(table(title, group(leftOut, key)));
  console.log('By model, that model left out of the fit');
  console.log(table('model', group(withoutModel, GROUPINGS.model!)));
  console.log('By GPU, that GPU left out of the fit');
  console.log(table('gpu', group(withoutGpu, GROUPINGS.gpu!)));
  console.log('Worst configurations, left out');
  const worst = group(leftOut, ({ row }) => `${row.version} ${describeDeployment(row.deployment)}`);
  console.log(table('configuration', worst.toSorted((a, b) => b.mape - a.mape).slice(0, 12)));
  const json = {
    ...Object.fromEntries(
      Object.entries(whole).map(([title, errors]) => [title, group(errors, GROUPINGS.metric!)]),
    ),
    classes: Object.fromEntries(
      Object.entries(GROUPINGS).map(([title, key]) => [title, group(leftOut, key)]),
    ),
  };
  await writeFileAtomically(REPORT, `${JSON.stringify(json, null, 2)}\n`);
  await writeFileAtomically(RESIDUALS, residualsFile(leftOut));
  console.log(`wrote ${REPORT} and ${RESIDUALS}`);
});
