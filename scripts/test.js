/** `npm test`: prepares the checkout, then runs the whole suite; further arguments go to vitest. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { prepare, ROOT } from './prepare.js';

prepare();
const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
const done = spawnSync(process.execPath, [vitest, 'run', ...process.argv.slice(2)], {
  cwd: ROOT,
  stdio: 'inherit',
});
process.exit(done.status ?? 1);
