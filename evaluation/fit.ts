/**
 * `npm run fit -- [folder]`: fits the cost model to the calibration data and writes `src/simulating/cost/constants.ts`.
 * The folder may also be named by `EXPERT_ROUTER_CALIBRATION`.
 */
import { writeFileAtomically } from '../src/core/files.ts';
import { constantsFile } from './fit/constants-file.ts';
import { fitAll } from './fit/workflow.ts';
import { calibrationFolder, runScript } from './script.ts';

const TARGET = 'src/simulating/cost/constants.ts';

await runScript(async () => {
  const fit = fitAll(calibrationFolder(process.argv[2]), (what) => console.error(what));
  await writeFileAtomically(TARGET, constantsFile(fit));
  console.log(`wrote ${TARGET}: ${fit.schedules.length} rows used`);
  for (const { reason, rows } of fit.excluded) console.log(`left out ${rows}: ${reason}`);
});
