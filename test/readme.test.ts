/** The README's commands, executed word by word against a server started as it says. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERROR_KINDS } from '../src/core/errors.ts';
import { LEAVING } from '../src/deciding/routing/conversation.ts';
import { parseConfig } from '../src/serving/config/load.ts';
import { configJsonSchema } from '../src/serving/config/schema.ts';
import { EXPERT_KINDS } from '../src/serving/experts/index.ts';
import { HEDGE_SHARE, RETRY_SHARE } from '../src/serving/gateway/retry-budget.ts';
import { DEFAULT_WEIGHTS } from '../src/serving/weights/catalog.ts';
import { command } from './support/command.ts';
import { type RouterProcess, routerProcess } from './support/process.ts';

const ROOT = join(import.meta.dirname, '..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const LOAD_AND_FAILURE = readFileSync(join(ROOT, 'docs', 'load-and-failure.md'), 'utf8');

/** Each command of the `sh` blocks; lines ending in a backslash belong together. */
const COMMANDS = [...README.matchAll(/```sh\n([\s\S]*?)```/g)]
  .flatMap((block) => block[1]!.replaceAll('\\\n', ' ').trim().split('\n'))
  .filter((command) => command !== 'npm start' && !serves(command));

function serves(command: string): boolean {
  return /expert-router (emulate|serve)\b/.test(command);
}

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
    (line) => {
      // The server of the test listens on a free port; everything else is as written.
      const written = line
        .replaceAll('http://127.0.0.1:8080', router.url)
        .replace('expert-router chat', `expert-router chat --url ${router.url}`);
      const done = spawnSync('bash', ['-c', written], { cwd: ROOT, encoding: 'utf8', timeout: 120_000 });
      expect(done.stdout).not.toContain('{"error"');
      expect({ status: done.status, stderr: done.stderr }).toMatchObject({ status: 0 });
      expect((done.stdout + done.stderr).length).toBeGreaterThan(0);
    },
    150_000,
  );

  it.for([
    ['What is the capital of France?', 'Paris'],
    ['What is the chemical formula of water?', 'H2O'],
  ])('asks what the built-in model knows: %s', async ([question, right], { skip }) => {
    expect(README).toContain(question);
    const response = await fetch(`${router.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: question }] }),
    });
    const { choices } = (await response.json()) as { choices: { message: { content: string } }[] };
    const answer = choices[0]!.message.content;
    if (answer.startsWith('[emulated')) skip('The embedded engine is not in the cache; .ci/run fetches it.');
    expect(answer).toContain(right);
  });

  it('has a tour without a model that works as written', async () => {
    const tour = /## A tour without a model[\s\S]*?```sh\n([\s\S]*?)```/.exec(README)![1]!.trim().split('\n');
    expect(tour.length).toBe(2);
    expect(tour.every(serves)).toBe(true);
    // Ports and the place of the file are the test's; all other words are the README's.
    const folder = mkdtempSync(join(tmpdir(), 'tour-'));
    const [emulate, serve] = tour.map((line) =>
      line.replace('emulated.yaml', join(folder, 'emulated.yaml')).split(' ').slice(2),
    );
    const fleet = command(...emulate!, '--port', '0');
    await fleet.said(/Wrote /);
    const served = command(...serve!, '--port', '0');
    const [, url] = await served.said(/8 experts on (http:\S+)/);
    const [, question, shown] = /For "([^"]+)":\n\n```\n([\s\S]*?)```/.exec(README)!;
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: question }] }),
    });
    expect(answer.status).toBe(200);
    const headers = shown!
      .trim()
      .split('\n')
      .map((line) => line.split(': ') as [string, string]);
    expect(headers.map(([name]) => [name, answer.headers.get(name)])).toEqual(headers);
    for (const one of [served, fleet]) one.process.kill();
    await Promise.all([served.ended, fleet.ended]);
    rmSync(folder, { recursive: true });
  });

  it('has configs that are sound, of the length it says', () => {
    const blocks = [...README.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1]!);
    expect(blocks).toHaveLength(1);
    const { experts } = parseConfig(blocks[0]!, 'README.md', { MATHS_KEY: 'secret' });
    expect(experts).toHaveLength(3);
    expect(README).toContain('Fifteen lines are enough for three');
    expect(
      blocks[0]!
        .trim()
        .split('\n')
        .filter((line) => !line.startsWith('#')),
    ).toHaveLength(15);
  });

  it('leads to settings of which each is in the schema', () => {
    const [expertTable, routerTable] = ['setting of an expert', 'setting of the router'].map((head) => {
      const table = new RegExp(`\\| ${head} \\|[\\s\\S]*?\\n\\n`).exec(LOAD_AND_FAILURE)![0];
      return [...table.matchAll(/^\| (`[^|]+?) (?:\(`\w+`\) )?\|/gm)].flatMap(([, cell]) =>
        [...cell!.matchAll(/`(\w+)/g)].map((match) => match[1]!),
      );
    });
    const schema = configJsonSchema() as {
      properties: Record<string, unknown> & { experts: { items: { oneOf: { properties: object }[] } } };
    };
    const ofExperts = schema.properties.experts.items.oneOf.flatMap(({ properties }) =>
      Object.keys(properties),
    );
    expect(expertTable!.length).toBeGreaterThan(4);
    for (const key of expertTable!.filter((one) => one !== 'openai')) expect(ofExperts).toContain(key);
    for (const key of routerTable!) expect(Object.keys(schema.properties)).toContain(key);
  });

  const config = parseConfig('experts: [{ id: a, kind: emulated }]', 'x', {}) as unknown as Record<
    string,
    unknown
  >;
  const expert = (config.experts as Record<string, unknown>[])[0]!;
  const admission = (kind: string) => EXPERT_KINDS.find((one) => one.kind === kind)!.admission;
  const minutes = (ms: number): string => `${ms / 60_000} m`;
  const seconds = (ms: unknown): string => `${Number(ms) / 1000} s`;

  it.each([
    [
      'the router model',
      `one file under ${Math.ceil(statSync(join(ROOT, 'models/default.router.safetensors')).size / 1e6)} MB`,
    ],
    ['the built-in model', `about ${Math.round(DEFAULT_WEIGHTS.bytes / 1e7) * 10} MB, once`],
    ['max_concurrent', `(${admission('openai').maxConcurrent} for servers;`],
    [
      'max_concurrent',
      `no limit for embedded`,
      [admission('llama'), admission('emulated')].every(({ maxConcurrent }) => maxConcurrent === Infinity),
    ],
    ['queue_size', `how many may wait (${expert.queue_size}), else ${ERROR_KINDS.overloaded.status}`],
    [
      'queue_timeout',
      `how long (${seconds(expert.queue_timeout)}), else ${ERROR_KINDS.queue_timeout.status}`,
    ],
    [
      'first_token_timeout',
      `(${seconds(admission('openai').firstTokenMs)}; ${seconds(admission('anthropic').firstTokenMs)} for \`anthropic\`, ${minutes(admission('llama').firstTokenMs)} for \`llama\`)`,
    ],
    ['heartbeat', `gets an SSE comment (${seconds(config.heartbeat)})`],
    ['request_timeout', `retries included (${minutes(Number(config.request_timeout))})`],
    ['hedge', `a stream slower to start than ${Math.round((1 - HEDGE_SHARE) * 20)} of 20`],
    ['the retry budget', `within a budget of ${100 * RETRY_SHARE} % of the requests`],
    ['conversations', `times how much the turn says by itself, exceeds ${LEAVING}`],
  ])('has, with the page on load and failure, the right figure for %s: %s', (_, words, holds = true) => {
    expect(`${README} ${LOAD_AND_FAILURE}`.replace(/\s+/g, ' ')).toContain(words);
    expect(holds).toBe(true);
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
