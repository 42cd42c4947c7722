/** Every command of docs/scale.md, in its order; ports and the places of files are the test's, all other words the page's. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { command, type RunningCommand } from '../support/command.ts';
import { eventually, gateway } from '../support/gateway.ts';
import { describeWith } from './component.ts';
import { freePort } from './engine-process.ts';

const PAGE = readFileSync('docs/scale.md', 'utf8');
const LINES = [...PAGE.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap((block) => block[1]!.trim().split('\n'));
const OURS = 'npx expert-router ';

describeWith(['envoy'], 'docs/scale.md', (folder) => {
  const home = mkdtempSync(join(tmpdir(), 'scale-page-'));
  const running: ChildProcess[] = [];
  const untried = new Set(LINES);
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });
  afterAll(() => rmSync(home, { recursive: true }));

  /** Its words after the program's name. @param ports what those of the page are here */
  function taken(start: string, ports: Readonly<Record<string, number>> = {}): readonly string[] {
    const line = [...untried].find((one) => one.startsWith(start))!;
    expect(line, start).toBeDefined();
    untried.delete(line);
    return line
      .replace(/\b(experts|envoy|values)\.yaml/g, (name) => join(home, name))
      .split(' ')
      .map((word) => (word in ports ? String(ports[word]) : word))
      .slice(2);
  }
  function begun(words: readonly string[]): RunningCommand {
    const one = command(...words);
    running.push(one.process);
    return one;
  }
  const page = (verb: string, ports?: Readonly<Record<string, number>>): readonly string[] =>
    taken(OURS + verb, ports);

  it('leads from one process to Envoy, and to KEDA beside it', { timeout: 240_000 }, async () => {
    await begun([...page('emulate'), '--port', '0']).said(/Wrote /);
    const one = begun([...page('serve --config experts.yaml'), '--port', '0']);
    const [, url] = await one.said(/experts? on (http:\S+)/);
    expect((await fetch(`${url}/v1/models`)).status).toBe(200);
    one.process.kill();

    const [port, processor, admin] = [await freePort(), await freePort(), await freePort()];
    const at = [
      '--listen',
      `127.0.0.1:${port}`,
      '--extproc',
      `127.0.0.1:${processor}`,
      '--admin',
      `${admin}`,
    ];
    expect(await begun([...page('envoy'), ...at]).ended).toBe(0);
    const chooser = begun([...page('extproc'), '--port', `${processor}`]);
    await chooser.said(/serves Envoy on/);
    const [envoy, file] = [...untried].find((line) => line.startsWith('envoy '))!.split(' -c ');
    untried.delete(`${envoy} -c ${file}`);
    const args = ['-c', join(home, file!), '--base-id', String(1000 + (port % 30_000))];
    running.push(spawn(join(folder!, 'bin', envoy!), args, { stdio: 'ignore' }));
    const curl = [...untried].find((line) => line.startsWith('curl '))!;
    untried.delete(curl);
    expect(curl).toContain('http://127.0.0.1:10000/');
    const asked = curl.replace('127.0.0.1:10000', `127.0.0.1:${port}`).replace('curl -i', 'curl -s -i');
    const answer = (): string => spawnSync('bash', ['-c', asked], { encoding: 'utf8' }).stdout;
    await eventually('the page’s question is answered', () => answer().startsWith('HTTP/1.1 200'));
    expect(answer()).toContain('x-expert-router-expert: maths');
    chooser.process.kill();
    await chooser.ended;

    // The same Envoy is served by the gateway that serves KEDA too.
    const scaler = await freePort();
    const both = begun([...page('serve', { 9002: processor, 9500: scaler }), '--port', '0']);
    await both.said(/KEDA is served on/);
    await eventually('the page’s question is answered', () => answer().startsWith('HTTP/1.1 200'));
  });

  it('shows the day that it simulates', { timeout: 900_000 }, async () => {
    const day = begun(page('day'));
    expect(await day.ended).toBe(0);
    const printed = day.output();
    const [, table] = /npx expert-router day --users 30000[\s\S]*?\n(\| rule [\s\S]*?)\n\n/.exec(PAGE)!;
    const told = table!.split('\n').slice(2).map(figures);
    const simulated = ['static', 'queue', 'requests', 'expert-router'].map((rule) =>
      figures(new RegExp(`^${rule} +\\d+ +(.*)$`, 'm').exec(printed)![1]!),
    );
    expect(told).toEqual(simulated);
    expect(PAGE).toContain(`a replica that takes ${/(\d+) requests at once/.exec(printed)![1]}`);
  });

  it('advises from what was recorded', { timeout: 240_000 }, async () => {
    const file = await recorded(home);
    const [first, second] = [page('advise'), page('advise')];
    const mine = (words: readonly string[]) =>
      words.map((word) => (word.endsWith('experts.yaml') ? file : word));
    const advice = begun(mine(first));
    expect(await advice.ended, advice.output()).toBe(0);
    const applied = begun(mine(second));
    expect(await applied.ended, applied.output()).toBe(0);
    expect(readFileSync(join(home, 'values.yaml'), 'utf8')).toContain('scale:');
  });

  it('has no command that was not run', () => {
    expect([...untried]).toEqual([]);
  });
});

/** Numbers of a row of a table, without its first cell's. */
const figures = (row: string): readonly number[] =>
  (/^\| [^|]*\|(.*)$/.exec(row)?.[1] ?? row.replace(/^\d+ /, ''))
    .replaceAll(',', '')
    .match(/[\d.]+/g)!
    .map(Number);

/** A config with the experts that the page names, and what its gateway recorded. */
async function recorded(home: string): Promise<string> {
  const file = join(home, 'recorded.yaml');
  const yaml = `records: { dir: ${join(home, 'records')} }
experts:
  - { id: code, kind: emulated, description: "Writes and explains programs" }
  - { id: chat, kind: emulated, fallback: true }
`;
  writeFileSync(file, yaml);
  const router = await gateway(yaml);
  for (const content of ['Sort a list in Python', 'Reverse a string in C', 'Good morning']) {
    const body = { model: 'auto', max_tokens: 8, messages: [{ role: 'user', content }] };
    await (await router.post('/v1/chat/completions', body)).text();
  }
  await router.close();
  return file;
}
