/**
 * Looking for engines, and the doctor, as a person at the keyboard meets them: the real program, stand-ins for engines.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { command } from './support/command.ts';
import { type RouterProcess, routerProcess } from './support/process.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

const folder = mkdtempSync(join(tmpdir(), 'discover-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const opened: Upstream[] = [];
const routers: RouterProcess[] = [];
afterEach(async () => {
  for (const one of routers.splice(0)) await one.stop();
  for (const one of opened.splice(0)) await one.close();
});

/** Stands in for vLLM with documented addresses; its model is called `org/Coder-1B`. */
async function engine(
  metrics = 'vllm:num_requests_running 0\nvllm:num_requests_waiting 0\n',
): Promise<Upstream> {
  const pages: Readonly<Record<string, string>> = {
    '/v1/models': '{"object":"list","data":[{"id":"org/Coder-1B","object":"model","owned_by":"vllm"}]}',
    '/version': '{"version":"0.11.0"}',
    '/metrics': metrics,
  };
  const server = await upstream((response, request) => {
    if (request.path === '/v1/chat/completions') return polite(response, request);
    const page = pages[request.path];
    response.writeHead(page === undefined ? 404 : 200).end(page);
  });
  opened.push(server);
  return server;
}

const NO_KEYS = { OPENAI_API_KEY: '', ANTHROPIC_API_KEY: '' };

describe('serve without a config', () => {
  it('serves what it finds, says so, and leaves keys alone', async () => {
    const found = await engine();
    const router = await routerProcess([], {
      ...NO_KEYS,
      EXPERT_ROUTER_DISCOVER: found.url,
      OPENAI_API_KEY: 'sk-secret',
    });
    routers.push(router);
    expect(router.output()).toMatch(/Found:\n {2}http:\S+: vLLM 0\.11\.0, org\/Coder-1B\n/);
    expect(router.output()).toMatch(/OPENAI_API_KEY is set and left alone/);
    expect(router.output()).toMatch(/serve --no-discover/);
    expect(router.output()).not.toContain('sk-secret');
    const body = JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'Hello' }] });
    const response = await fetch(`${router.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect(await response.text()).toContain('I am org/Coder-1B.');
  });

  it('serves the same in every worker', async () => {
    const found = await engine();
    const router = await routerProcess(['--workers', '2'], { ...NO_KEYS, EXPERT_ROUTER_DISCOVER: found.url });
    routers.push(router);
    expect(router.output()).toContain('1 expert on');
    expect(router.output().split('Found:')).toHaveLength(2);
  });

  it('serves the embedded experts with --no-discover', async () => {
    const found = await engine();
    const router = await routerProcess(['--no-discover'], { ...NO_KEYS, EXPERT_ROUTER_DISCOVER: found.url });
    routers.push(router);
    expect(router.output()).toContain('8 experts on');
    expect(found.requests).toEqual([]);
  }, 150_000);

  it('serves the embedded experts where it finds none', async () => {
    const web = await upstream((response) => void response.writeHead(404).end('<html>'));
    opened.push(web);
    const router = await routerProcess([], { ...NO_KEYS, EXPERT_ROUTER_DISCOVER: web.url });
    routers.push(router);
    expect(router.output()).toMatch(/Found but not used:\n {2}http:\S+: a web server with HTML pages/);
    expect(router.output()).toContain('8 experts on');
  }, 150_000);
});

describe('discover', () => {
  it('writes a config that check and assign take', async () => {
    const found = await engine();
    const file = join(folder, 'found.yaml');
    const told = command({ EXPERT_ROUTER_DISCOVER: found.url, ...NO_KEYS }, 'discover', '--out', file);
    expect(await told.ended).toBe(0);
    const yaml = readFileSync(file, 'utf8');
    expect(yaml).toMatch(/# {3}http:\S+: vLLM 0\.11\.0, org\/Coder-1B/);
    expect(yaml).toMatch(/id: coder-1b\n {4}kind: openai\n {4}url: http/);
    expect(yaml).toMatch(/description: Writes, explains and debugs programs/);
    const checked = command('check', file);
    expect(await checked.ended).toBe(0);
    expect(checked.output()).toContain('is valid');
  });

  it('says so when there is nothing, with what to do', async () => {
    const told = command({ EXPERT_ROUTER_DISCOVER: 'none' }, 'discover');
    expect(await told.ended).toBe(1);
    expect(told.output()).toMatch(/No engine was found\. Start one, or name its address/);
  });

  it.each([
    [['--use-key', 'OPENAI_APIKEY=m'], /Did you mean OPENAI_API_KEY/],
    [['--use-key', 'OPENAI_API_KEY'], /a variable and a model/],
    [['--use-key', 'XAI_API_KEY=m'], /not set in the environment/],
  ])('refuses %j', async (args, problem) => {
    const environment = { EXPERT_ROUTER_DISCOVER: 'http://127.0.0.1:1', XAI_API_KEY: '' };
    const told = command(environment, 'discover', ...args);
    expect(await told.ended).toBe(1);
    expect(told.output()).toMatch(problem);
  });

  it('refuses an invalid address', async () => {
    const told = command({ EXPERT_ROUTER_DISCOVER: 'gpu1:8000' }, 'discover');
    expect(await told.ended).toBe(1);
    expect(told.output()).toMatch(/'gpu1:8000' is no address/);
  });
});

describe('doctor', () => {
  const examined = async (yaml: string, ...more: string[]) => {
    const file = join(folder, 'doctor.yaml');
    writeFileSync(file, yaml);
    const told = command('doctor', '--config', file, ...more);
    return { code: await told.ended, output: told.output() };
  };

  it('finds nothing wrong with engines that do what they should', async () => {
    const { url } = await engine();
    const { code, output } = await examined(
      `experts:\n  - { id: e, kind: openai, url: '${url}', model: org/Coder-1B }\n  - { id: own, kind: emulated }`,
    );
    expect(output).toMatch(/^e \(openai\) at http/m);
    for (const line of [
      /engine +vLLM, 0\.11\.0/,
      /model +org\/Coder-1B/,
      /answer +“I am/,
      /3 chunks/,
      /running 0/,
    ])
      expect(output).toMatch(line);
    expect(output).toMatch(/unseen.* cancel/);
    expect(output).toMatch(/^own \(emulated\)$/m);
    expect(output).toMatch(/All checks passed: 2 replicas/);
    expect(code).toBe(0);
  });

  it('looks at the replicas that are found now', async () => {
    const { url } = await engine();
    const list = join(folder, 'replicas.json');
    const config = `experts: [{ id: e, kind: openai, model: org/Coder-1B, discover: { file: '${list}' } }]`;
    writeFileSync(list, JSON.stringify([url]));
    expect(await examined(config)).toMatchObject({ code: 0, output: expect.stringContaining(`at ${url}`) });
    writeFileSync(list, '[]');
    expect(await examined(config)).toMatchObject({
      code: 1,
      output: expect.stringMatching(/FAILED.* made .*no replica of it is there/),
    });
  });

  it('names what fails, with its cure, and ends with 1', async () => {
    const renamed = await engine('vllm:running_v2 1\n');
    const web = await upstream((response) => void response.writeHead(404).end('<html>'));
    const gone = await upstream(polite);
    await gone.close();
    opened.push(web);
    const { code, output } = await examined(
      `experts:
  - { id: renamed, kind: openai, url: '${renamed.url}', model: org/Coder-1B }
  - { id: web, kind: openai, url: '${web.url}' }
  - { id: gone, kind: openai, url: '${gone.url}' }
  - { id: two, kind: openai, url: ['${renamed.url}', '${web.url}'], metrics_url: 'http://127.0.0.1:1/metrics' }`,
    );
    expect(code).toBe(1);
    expect(output).toMatch(/FAILED.* metrics .*another version may have renamed them/);
    expect(output).toMatch(/FAILED.* engine .*HTML pages/);
    expect(output).toMatch(/FAILED.* reachable .*ECONNREFUSED[^\n]*\n *→ start the engine there/);
    expect(output).toMatch(/FAILED.* made .*stands for 2 addresses/);
    expect(output).toMatch(/\d+ of \d+ checks failed\.$/m);
  });

  it('reports the same as JSON, and sends no prompts with --no-ask', async () => {
    const one = await engine();
    const { code, output } = await examined(
      `experts: [{ id: e, kind: openai, url: '${one.url}' }]`,
      '--json',
      '--no-ask',
    );
    const [{ checks }] = JSON.parse(output) as [{ checks: { name: string; finding: string }[] }];
    expect(checks.map(({ name, finding }) => `${name} ${finding}`)).toEqual([
      'reachable ok',
      'engine ok',
      'answer skipped',
      'metrics ok',
    ]);
    expect(one.requests.some(({ method, path }) => method === 'POST' && path.startsWith('/v1/'))).toBe(false);
    expect(code).toBe(0);
  });
});
