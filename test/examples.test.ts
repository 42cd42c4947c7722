/** The programs in examples/ run as they stand, on the compiled package that `import 'expert-router'` means there. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const FOLDER = join(import.meta.dirname, '..', 'examples');

/** What each says, beginning to end. */
const SAYS: Readonly<Record<string, RegExp>> = {
  'embed.js':
    /^Write a Python function .* -> code\n {2}\[emulated answer by expert code: .*\nGive me a recipe .* -> kitchen\n {2}\[emulated .*\n$/,
  'custom-expert.js': /^We are closed on Sundays\.\n$/,
  'custom-policy.js': /^affinity of 0 is enough -> small\naffinity of 0\.95 is enough -> coder\n$/,
  'decide.js':
    /^Write a Python .* -> code \(nearest-cluster\)\n.* because of python\nSolve .* -> maths .*\n.* because of equation\nzxqv .* -> general \(outside\)\n.*\n$/,
  'train.js': /^clusters: .*; .*; .*\npurity (?:1\.00|0\.9\d), NMI (?:1\.00|0\.[89]\d)\n$/,
};

const programs = readdirSync(FOLDER).filter((name) => name.endsWith('.js'));

it.each(programs)('%s does what it says', (name) => {
  const done = spawnSync(process.execPath, [join(FOLDER, name)], { encoding: 'utf8', timeout: 50_000 });
  expect(done.stderr).toBe('');
  expect(done.status).toBe(0);
  expect(done.stdout).toMatch(SAYS[name]!);
});

it('has a line in the README for each', () => {
  const named = readFileSync(join(FOLDER, 'README.md'), 'utf8').matchAll(/^- \[(\S+\.js)\]\(\1\): \S/gm);
  expect([...named].map(([, name]) => name).sort()).toEqual(programs.sort());
  expect(Object.keys(SAYS).sort()).toEqual(programs);
});
