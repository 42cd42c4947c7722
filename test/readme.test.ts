/** The README's commands, executed word by word against a server started as it says. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RouterProcess, routerProcess } from './support/process.ts';

const ROOT = join(import.meta.dirname, '..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** Each command of the `sh` blocks; lines ending in a backslash belong together. */
const COMMANDS = [...README.matchAll(/```sh\n([\s\S]*?)```/g)]
  .flatMap((block) => block[1]!.replaceAll('\\\n', ' ').trim().split('\n'))
  .filter((command) => command !== 'npm start');

let router: RouterProcess;

beforeAll(async () => {
  router = await routerProcess([]);
});

afterAll(async () => {
  await router?.stop();
});

describe('the README', () => {
  it('has commands, and npm start among them', () => {
    expect(README).toContain('```sh\nnpm start\n```');
    expect(COMMANDS.length).toBeGreaterThan(8);
  });

  it.each(COMMANDS)(
    '%s',
    (command) => {
      // The server of the test listens on a free port; everything else is as written.
      const written = command
        .replaceAll('http://127.0.0.1:8080', router.url)
        .replace('expert-router chat', `expert-router chat --url ${router.url}`);
      const done = spawnSync('bash', ['-c', written], { cwd: ROOT, encoding: 'utf8', timeout: 120_000 });
      expect(done.stdout).not.toContain('{"error"');
      expect({ status: done.status, stderr: done.stderr }).toMatchObject({ status: 0 });
      expect((done.stdout + done.stderr).length).toBeGreaterThan(0);
    },
    150_000,
  );

  it('links only to files that exist', () => {
    const links = [...README.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1]!);
    expect(links.filter((link) => !existsSync(join(ROOT, link)))).toEqual([]);
  });

  it('names every folder of src in its tree, and no other', () => {
    const tree = /src\/\n((?: {2}\S.*\n)+)/.exec(README)![1]!;
    const named = [...tree.matchAll(/^ {2}(\S+)\//gm)].map((match) => match[1]!).toSorted();
    const there = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect(named).toEqual(there.map((entry) => entry.name).toSorted());
  });
});
