/** The gateway as a library: what a program can give it and ask of it, and what it leaves alone. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { defineExpert, type Expert, z } from '../src/expert.ts';
import {
  type ConfigInput,
  checkConfig,
  createGateway,
  type DecisionNote,
  type EmbeddedGateway,
  type GatewayOptions,
} from '../src/index.ts';
import { definePolicy } from '../src/policy.ts';
import { createRouter, loadRouterModel } from '../src/router.ts';
import { hashKey } from '../src/serving/front/auth.ts';
import { eventually } from './support/gateway.ts';

const open: EmbeddedGateway[] = [];
const folder = mkdtempSync(join(tmpdir(), 'expert-router-'));
afterEach(async () => {
  await Promise.all(open.splice(0).map((gateway) => gateway.close({ graceMs: 0 })));
});

async function create(
  config: Parameters<typeof createGateway>[0],
  options: GatewayOptions = {},
): Promise<EmbeddedGateway> {
  const gateway = await createGateway(config, options);
  open.push(gateway);
  return gateway;
}

const emulated = (...ids: readonly string[]): ConfigInput => ({
  experts: ids.map((id) => ({ id, kind: 'emulated' })),
});
const KEY = [{ name: 'a', hash: hashKey('secret') }];
const QUESTION = { messages: [{ role: 'user', content: 'hello' }] };
const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify(body) });

describe('the config', () => {
  it('is an object, YAML, a path or a URL', async () => {
    const file = join(folder, 'experts.yaml');
    writeFileSync(file, 'experts:\n  - { id: filed, kind: emulated }\n');
    const expertOf = async (config: Parameters<typeof createGateway>[0]) =>
      (await (await create(config)).route(QUESTION)).expert;
    expect(await expertOf(emulated('object'))).toBe('object');
    expect(await expertOf('experts: [{ id: line, kind: emulated }]')).toBe('line');
    expect(await expertOf('experts:\n  - id: lines\n    kind: emulated\n')).toBe('lines');
    expect(await expertOf(file)).toBe('filed');
    expect(await expertOf(pathToFileURL(file))).toBe('filed');
    await expect(createGateway(join(folder, 'none.yaml'))).rejects.toThrow('Cannot read the config');
  });

  it('names every problem of an object by its path', async () => {
    const wrong = { experts: [{ id: 'a', kind: 'emulatd' }], lisen: 'x' } as unknown as ConfigInput;
    const problems = await checkConfig(wrong).catch((error: Error) => error.message.split('\n'));
    expect(problems).toContain("config: lisen: unknown key; did you mean 'listen'?");
    expect(String(problems)).toContain("experts[0].kind: unknown kind 'emulatd'");
  });

  it('takes an object as it stands, and text with the environment it is given', async () => {
    const object = { experts: [{ id: 'a', kind: 'emulated', description: '${NAME}' }] };
    expect((await checkConfig(object)).experts[0]!.description).toBe('${NAME}');
    const text = 'experts: [{ id: a, kind: emulated, description: "${NAME}" }]';
    expect((await checkConfig(text, { environment: { NAME: 'b' } })).experts[0]!.description).toBe('b');
    await expect(checkConfig(text, { environment: {} })).rejects.toThrow('${NAME} is not set');
  });
});

describe('kinds and policies of a program', () => {
  const silent = defineExpert({
    kind: 'silent',
    summary: 'says nothing',
    options: z.strictObject({ why: z.string() }),
    create: async (id, { why }): Promise<Expert> => ({
      id,
      kind: 'silent',
      speaks: [],
      generate: (_request, sink) => {
        setImmediate(() => {
          sink.head(200, { 'content-type': 'application/json' });
          sink.data(Buffer.from(JSON.stringify({ why })));
          sink.end({ usage: 'unknown', finishReason: 'stop' });
        });
        return { resume: () => {}, cancel: () => {} };
      },
      health: async () => ({ state: 'ready' }),
      close: async () => {},
    }),
  });

  it('serve beside those that ship, with checked options', async () => {
    const config = { experts: [{ id: 'mute', kind: 'silent', why: 'no words' }] };
    const gateway = await create(config, { kinds: [silent] });
    const url = await gateway.listen({ port: 0 });
    expect(await (await post(url, QUESTION)).json()).toEqual({ why: 'no words' });
    const wrong = { experts: [{ id: 'mute', kind: 'silent', wy: 'x' }] };
    await expect(checkConfig(wrong, { kinds: [silent] })).rejects.toThrow("did you mean 'why'?");
    await expect(checkConfig(config)).rejects.toThrow("unknown kind 'silent'");
  });

  it('keep to names that are free', async () => {
    const named = (kind: string) => ({ ...silent, kind });
    await expect(create(emulated('a'), { kinds: [named('openai')] })).rejects.toThrow('already a kind');
    await expect(create(emulated('a'), { kinds: [named('Two Words')] })).rejects.toThrow('lower-case');
    const taken = { ...silent, options: z.strictObject({ why: z.string(), queue_size: z.int() }) };
    await expect(create(emulated('a'), { kinds: [taken] })).rejects.toThrow("option 'queue_size'");
    const spill = definePolicy({
      id: 'spill',
      summary: 'x',
      options: z.strictObject({}),
      rank: ({ candidates }) => candidates,
    });
    await expect(create(emulated('a'), { policies: [spill] })).rejects.toThrow('already a policy');
  });

  it('serve after a reload too, also in this process', async () => {
    const gateway = await create(emulated('a'), { kinds: [{ ...silent, inProcess: true }] });
    const next = { experts: [{ id: 'mute', kind: 'silent', why: 'x' }] };
    expect((await gateway.reload(next)).experts).toEqual(['mute']);
  });
});

describe('listening', () => {
  it('happens once, and stays on this machine while there are no keys', async () => {
    const gateway = await create({ ...emulated('a'), listen: '0.0.0.0:0' });
    expect(await gateway.listen()).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    await expect(gateway.listen({ port: 0 })).rejects.toThrow('listens already');
    const other = await create(emulated('a'));
    await expect(other.listen({ host: '0.0.0.0', port: 0 })).rejects.toThrow('Configure keys');
    const port = Number(new URL(await other.listen({ port: 0 })).port);
    await expect((await create(emulated('a'))).listen({ port })).rejects.toThrow(`Port ${port}`);
  });

  it('goes through a server of the program just as well', async () => {
    const gateway = await create({ ...emulated('a'), keys: KEY });
    const server = createServer(gateway.handle).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    expect((await post(url, QUESTION)).status).toBe(401);
    const answer = await post(url, QUESTION, { authorization: 'Bearer secret' });
    expect(answer.headers.get('x-expert-router-expert')).toBe('a');
    await gateway.close();
    const late = await post(url, QUESTION, { authorization: 'Bearer secret' });
    expect(late.status).toBe(503);
    expect(await late.json()).toMatchObject({ error: { code: 'shutting_down' } });
    server.close();
    server.closeAllConnections();
  });
});

describe('route', () => {
  it('answers as POST /v1/route does, and as a router without a server does', async () => {
    const config: ConfigInput = {
      experts: [
        { id: 'code', kind: 'emulated', description: 'Writes and explains programs' },
        { id: 'maths', kind: 'emulated', description: 'Solves equations and proves theorems' },
        { id: 'rest', kind: 'emulated', description: 'Everyday questions', fallback: true },
      ],
    };
    const gateway = await create(config);
    const url = await gateway.listen({ port: 0 });
    const router = await createRouter({ model: await loadRouterModel(), experts: config.experts });
    const prompts = readFileSync('evaluation/routing-prompts.jsonl', 'utf8').trim().split('\n').slice(0, 40);
    for (const { prompt } of prompts.map((line) => JSON.parse(line) as { prompt: string })) {
      const messages = [
        { role: 'user', content: 'Solve x + 1 = 2' },
        { role: 'assistant', content: 'x = 1' },
        { role: 'user', content: prompt },
      ];
      const own = await gateway.route({ messages });
      const response = await fetch(`${url}/v1/route`, { method: 'POST', body: JSON.stringify({ messages }) });
      expect(await response.json()).toEqual({ ...own, trace_id: expect.any(String) });
      const { expert, reason, ranking, classification } = router.decide(messages);
      expect([expert, reason, classification.cluster]).toEqual([own.expert, own.reason, own.cluster]);
      // Experts that suit it equally come in either order.
      expect(ranking).toHaveLength(own.ranking.length);
      for (const { expert: id, affinity } of ranking)
        expect(own.ranking.find((one) => one.expert === id)!.affinity).toBeCloseTo(affinity, 3);
    }
  });

  it('takes an expert by name, and refuses what the API refuses', async () => {
    const gateway = await create({ ...emulated('a', 'b'), max_body_mb: 0.001 });
    expect(await gateway.route(QUESTION, { expert: 'b' })).toMatchObject({ expert: 'b', reason: 'forced' });
    await expect(gateway.route(QUESTION, { expert: 'c' })).rejects.toMatchObject({ code: 'model_not_found' });
    await expect(gateway.route('{')).rejects.toMatchObject({ code: 'invalid_json' });
    await expect(gateway.route({})).rejects.toMatchObject({ code: 'invalid_body', param: 'messages' });
    await expect(gateway.route({ prompt: 'x'.repeat(2000) })).rejects.toMatchObject({
      code: 'body_too_large',
    });
  });
});

describe('reload', () => {
  it('serves another config, by the rules of a start', async () => {
    const gateway = await create({ ...emulated('before'), keys: KEY });
    await expect(gateway.reload(emulated('keyless'))).rejects.toThrow('lost its keys');
    await expect(gateway.reload({ experts: [] })).rejects.toThrow('at least one expert');
    await expect(gateway.reload({ ...emulated('after'), keys: KEY, router: 'none' })).rejects.toThrow(
      'Cannot read the router model',
    );
    await expect(gateway.reload()).rejects.toThrow('no file');
    expect((await gateway.route(QUESTION)).expert).toBe('before');
    expect(await gateway.reload({ ...emulated('after'), keys: KEY })).toMatchObject({ experts: ['after'] });
    expect((await gateway.route(QUESTION)).expert).toBe('after');
  });

  it('applies the last of several', async () => {
    const gateway = await create(emulated('first'));
    await Promise.all(['second', 'third'].map((id) => gateway.reload(emulated(id))));
    expect((await gateway.route(QUESTION)).expert).toBe('third');
  });

  it('reads a file again when asked to, and by itself where it watches', async () => {
    const file = join(folder, 'watched.yaml');
    const say = (id: string) => writeFileSync(file, `experts: [{ id: ${id}, kind: emulated }]\n`);
    say('one');
    const logged: string[] = [];
    const asked = await create(file);
    const watching = await create(file, { watchFiles: true, log: (line) => logged.push(line) });
    say('two');
    expect(await asked.reload()).toMatchObject({ experts: ['two'] });
    await asked.close();
    await eventually('the other sees it', async () => (await watching.route(QUESTION)).expert === 'two');
    expect(logged.join()).toContain(`Reloaded ${file}: 1 experts`);
    await expect(create(emulated('a'), { watchFiles: true })).rejects.toThrow('no file');
  });
});

describe('the process', () => {
  it('gets no signal handlers, output or exit from the gateway', async () => {
    const listeners = () =>
      Object.fromEntries(process.eventNames().map((name) => [String(name), process.listenerCount(name)]));
    const before = listeners();
    const written = [
      vi.spyOn(process.stdout, 'write'),
      vi.spyOn(process.stderr, 'write'),
      vi.spyOn(process, 'exit'),
    ];
    const gateway = await create(emulated('a'));
    await (await post(await gateway.listen({ port: 0 }), QUESTION)).text();
    await gateway.close();
    expect(listeners()).toEqual(before);
    for (const spy of written) expect(spy).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  it('can run two independent gateways', async () => {
    const notes: DecisionNote[][] = [[], []];
    const [one, other] = await Promise.all(
      notes.map((list, index) =>
        create(emulated(`expert-${index}`), { onDecision: (note) => list.push(note) }),
      ),
    );
    const urls = [await one!.listen({ port: 0 }), await other!.listen({ port: 0 })];
    await (await post(urls[0]!, QUESTION)).text();
    expect(notes.map((list) => list.map(({ expert }) => expert))).toEqual([['expert-0'], []]);
    const count = 'expert_router_requests_total{';
    await eventually('one has counted it', async () => (await one!.metrics()).includes(count));
    expect(await other!.metrics()).not.toContain(count);
    await one!.close();
    expect((await post(urls[1]!, QUESTION)).status).toBe(200);
  });

  it('provides clock, randomness and environment only through the options', async () => {
    const clock = { epoch: () => 86_400_000, monotonic: () => 0 };
    const gateway = await create(
      { ...emulated('a', 'b', 'c', 'd'), policy: 'random' },
      { clock, random: () => 0.3, environment: { EXPERT_ROUTER_CACHE: folder } },
    );
    const url = await gateway.listen({ port: 0 });
    const { data } = (await (await fetch(`${url}/v1/models`)).json()) as { data: { created: number }[] };
    expect(data.map(({ created }) => created)).toEqual(Array(5).fill(86_400));
    const chosen = new Set<string>();
    for (let i = 0; i < 8; i++) chosen.add((await gateway.route(QUESTION)).expert);
    expect(chosen.size).toBe(1);
  });
});

describe('close', () => {
  it('tells whoever is not answered in time why the answer ends', async () => {
    const gateway = await create({
      experts: [
        { id: 'slow', kind: 'emulated', tokens_per_second: 1 },
        { id: 'whole', kind: 'emulated', tokens_per_second: 1 },
      ],
    });
    const url = await gateway.listen({ port: 0 });
    const begun = await post(url, { ...QUESTION, model: 'slow', stream: true });
    const waiting = post(url, { ...QUESTION, model: 'whole' });
    await eventually('both are with their experts', async () => {
      const page = await gateway.metrics();
      return ['slow', 'whole'].every((id) => page.includes(`expert_router_inflight{expert="${id}"} 1`));
    });
    const closed = gateway.close({ graceMs: 50 });
    expect(await begun.text()).toMatch(/"code":"shutting_down"\}\}\n\n$/);
    expect((await waiting).status).toBe(503);
    expect((await waiting).headers.get('retry-after')).toBe('1');
    await closed;
  });

  it('can be called twice, and lets running answers finish', async () => {
    const gateway = await create({ experts: [{ id: 'slow', kind: 'emulated', tokens_per_second: 40 }] });
    const url = await gateway.listen({ port: 0 });
    const running = await post(url, { ...QUESTION, stream: true });
    const [text] = await Promise.all([running.text(), gateway.close(), gateway.close({ graceMs: 0 })]);
    expect(text).toMatch(/data: \[DONE\]\n\n$/);
    await expect(post(url, QUESTION)).rejects.toThrow();
    await expect(gateway.listen()).rejects.toThrow('closed');
    await expect(gateway.reload(emulated('a'))).rejects.toThrow('closed');
    await expect(gateway.route(QUESTION)).rejects.toThrow('closed');
    rmSync(folder, { recursive: true, force: true });
  });
});
