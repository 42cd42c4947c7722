/** Runs a TypeScript bench or evaluation: `node scripts/run.js bench/route.ts [arguments]`. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, prepareScripts } from './prepare.js';

const [, , script, ...rest] = process.argv;
if (!script) {
  console.error('usage: node scripts/run.js <bench/name.ts> [arguments]');
  process.exit(2);
}
prepare();
const compiled = join(prepareScripts(), script.replace(/\.ts$/, '.js'));
process.argv = [process.argv[0], compiled, ...rest];
await import(pathToFileURL(compiled).href);
