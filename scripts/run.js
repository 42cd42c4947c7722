/** Runs a TypeScript bench or evaluation: `node scripts/run.js bench/route.ts [arguments]`. `--help` prints its header. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, prepareScripts } from './prepare.js';

const [, , script, ...rest] = process.argv;
if (!script) {
  console.error('usage: node scripts/run.js <bench/name.ts> [arguments]');
  process.exit(2);
}
if (rest.includes('--help') || rest.includes('-h')) {
  console.log(header(readFileSync(script, 'utf8')));
  process.exit(0);
}
prepare();
const compiled = join(prepareScripts(), script.replace(/\.ts$/, '.js'));
process.argv = [process.argv[0], compiled, ...rest];
await import(pathToFileURL(compiled).href);

/** What a file says of itself: its first comment, as plain text. */
function header(source) {
  const comment = /\/\*\*([\s\S]*?)\*\//.exec(source)?.[1] ?? 'It has no description.';
  return comment.replace(/^ *\* ?/gm, '').trim();
}
