/**
 * `npm run bench:simulator -- [folder]`: compares predictions with every usable calibration row, in sample and with the
 * row's configuration (model, GPU, degree, precision) left out of the fit; prints a table and writes a JSON report.
 */

import { writeFileAtomically } from '../src/core/files.ts';
import { progressBar } from '../src/core/progress.ts';
import { describeDeployment } from '../src/simulating/deployment.ts';
import { type ErrorGroup, errorsOf, group, leaveOneOut, type RowError } from './bench/errors.ts';
import { fitAll } from './fit/workflow.ts';
import { calibrationFolder, runScript } from './script.ts';

const REPORT = '.cache/bench-simulator.json';

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
  const bar = progressBar('left-out configurations', 'items');
  const fit = fitAll(calibrationFolder(process.argv[2]), (what) => console.error(what));
  const inSample = fit.schedules.flatMap((s) =>
    errorsOf(s.row, fit.kernels, fit.engines[s.row.deployment.engine]),
  );
  const leftOut = leaveOneOut(fit, (done, total) => bar.update(done, total));
  bar.finish();
  console.log(
    `${fit.schedules.length} rows; left out: ${fit.excluded.map((e) => `${e.rows} (${e.reason})`).join('; ')}\n`,
  );
  console.log('In sample');
  console.log(table('', group(inSample, GROUPINGS.metric!)));
  console.log('Configuration left out of the fit (out of sample)');
  for (const [title, key] of Object.entries(GROUPINGS)) console.log(table(title, group(leftOut, key)));
  console.log('Worst configurations, left out');
  const worst = group(leftOut, ({ row }) => `${row.version} ${describeDeployment(row.deployment)}`);
  console.log(table('configuration', worst.toSorted((a, b) => b.mape - a.mape).slice(0, 12)));
  const json = Object.fromEntries(
    Object.entries(GROUPINGS).map(([title, key]) => [title, group(leftOut, key)]),
  );
  await writeFileAtomically(
    REPORT,
    `${JSON.stringify({ inSample: group(inSample, GROUPINGS.metric!), leftOut: json }, null, 2)}\n`,
  );
  console.log(`wrote ${REPORT}`);
});
