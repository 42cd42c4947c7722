/** The commands of the worked examples, word by word; ports and the places of files are the test's. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { command, type RunningCommand } from './support/command.ts';

const ROOT = join(import.meta.dirname, '..');
/** What the servers printed. */
let logged = '';
const folder = mkdtempSync(join(tmpdir(), 'worked-examples-'));
let served: RunningCommand | undefined;

async function stop(): Promise<void> {
  served?.process.kill();
  await served?.ended;
  logged += served?.output() ?? '';
  served = undefined;
}

afterAll(async () => {
  await stop();
  rmSync(folder, { recursive: true });
});

interface Done {
  readonly line: string;
  readonly output: string;
}

/** Runs every command of an example's README, in a copy of it; what reads the records waits for the server's end. */
async function run(name: string): Promise<readonly Done[]> {
  const readme = readFileSync(join(ROOT, 'examples', name, 'README.md'), 'utf8');
  const lines = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block]) =>
    block!.trim().split('\n'),
  );
  const there = join(folder, 'examples', name);
  cpSync(join(ROOT, 'examples', name), there, { recursive: true });
  const done: Done[] = [];
  let url = '';
  for (const line of lines) {
    if (line.includes('expert-router serve')) {
      await stop();
      const [, config] = /--config (\S+)/.exec(line)!;
      const file = join(folder, config!);
      writeFileSync(file, readFileSync(file, 'utf8').replace(/dir: \.\//, `dir: ${folder}/`));
      const args = line.replace(config!, file).split(' ').slice(2);
      served = command(...args, '--port', '0');
      url = (await served.said(/experts? on (http:\S+)/))[1]!;
      continue;
    }
    if (/ learn |^cat /.test(line)) await stop();
    const written = line
      .replace('npx expert-router', `node ${join(ROOT, 'bin', 'expert-router.js')}`)
      .replaceAll('http://127.0.0.1:8080', url);
    const result = spawnSync('bash', ['-c', written], { cwd: folder, encoding: 'utf8', timeout: 100_000 });
    const output = result.stdout + result.stderr;
    expect({ line, status: result.status, output }).toMatchObject({ status: 0 });
    done.push({ line, output });
  }
  await stop();
  return done;
}

/** Per cent of prompts that the router sent to the right expert, of each `evaluate`. */
const sharesRight = (done: readonly Done[]): readonly number[] =>
  done.flatMap(({ output }) =>
    [...output.matchAll(/^router +(\d+\.\d+)/gm)].map(([, share]) => Number(share)),
  );

const said = (done: readonly Done[], what: string): string =>
  done.find(({ line }) => line.includes(what))!.output;

it('the support desk learns from queues, and from clicks alone', { timeout: 200_000 }, async () => {
  const done = await run('support-desk');
  const [taught, clicked] = sharesRight(done);
  expect(Math.round(taught! / 10)).toBe(9);
  expect(clicked).toBeGreaterThan(75);
  expect(said(done, 'The courier lost my parcel')).toMatch(/^delivery\n/);
  expect(said(done, 'charged twice')).toMatch(/x-expert-router-expert: billing/i);
  const rated = done.filter(({ line }) => line.includes('rate.js'));
  expect(rated).toHaveLength(4);
  for (const { output } of rated) expect(output).toMatch(/^90 tickets rated, [234]\d with/);
});

it('the clinic keeps names out and notes in the house', { timeout: 200_000 }, async () => {
  logged = '';
  const done = await run('clinic');
  expect(sharesRight(done)).toEqual([68.75]);
  expect(said(done, 'train')).toContain('choosing by prompt scores 82.81 %');
  expect(said(done, 'train')).toContain('descriptions and samples count too');
  const routed = JSON.parse(said(done, 'route --json')) as { expert: string; text: string };
  expect(routed).toMatchObject({
    expert: 'skin',
    text: 'Mr [name] (MRN [id]) has an itching rash on his arm',
  });
  const [ward, refused, library] = done.filter(({ line }) => line.startsWith('curl'));
  expect(ward!.output).toMatch(/x-expert-router-expert: skin/i);
  expect(refused!.output).toContain('not_local');
  expect(library!.output).toMatch(/x-expert-router-expert: cloud/i);
  const records = said(done, 'cat ').trim().split('\n');
  expect(records.map((line) => (JSON.parse(line) as { expert: string }).expert).sort()).toEqual([
    'cloud',
    'skin',
  ]);
  expect(logged).toContain('ward');
  const model = readFileSync(join(folder, 'examples/clinic/clinic.router.safetensors'), 'latin1');
  const report = readFileSync(join(folder, 'examples/clinic/clinic.router.report.json'), 'utf8');
  const notes = readFileSync(join(ROOT, 'examples/clinic/notes.csv'), 'utf8');
  for (const name of ['Okeke', '00910044']) expect(notes).toContain(name);
  expect(records.join('') + logged + model).not.toMatch(/baker|00482913|rash|penicillin/i);
  expect(model + report).not.toMatch(/Okeke|Petrova|Oyelaran|Ndiaye|00910044|7946/);
});
