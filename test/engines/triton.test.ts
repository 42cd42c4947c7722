/** The triton kind against a real Triton server: NVIDIA's own binary with models of ours in its Python backend. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChatBody } from '../../src/serving/dialects/openai/bodies.ts';
import { listen, requestOf, textOf } from '../../src/serving/experts/expert.contract.tools.ts';
import { describeExpert } from '../../src/serving/experts/expert.contract.ts';
import { healthText } from '../../src/serving/experts/expert.ts';
import { connectTriton } from '../../src/serving/experts/triton/connect.ts';
import { load, unload } from '../../src/serving/experts/triton/repository.ts';
import { command } from '../support/command.ts';
import { eventually, gateway } from '../support/gateway.ts';
import { tritonDouble } from '../support/triton-double.ts';
import { tritonExpert } from '../support/triton-expert.ts';
import { describeWith } from './component.ts';
import { writeRepository } from './triton/repository.ts';
import { type RealTriton, realTriton } from './triton/server.ts';

/** What the dialects tell; see docs/triton.md. */
const TELLS = {
  ensemble: { finishReason: false },
  core: { finishReason: false },
  llmapi: { usage: false },
  vllm: {},
} as const;

const MODELS = Object.keys(TELLS) as (keyof typeof TELLS)[];
const PROTOCOLS = ['grpc', 'http'] as const;
const ALL = MODELS.flatMap((model) => PROTOCOLS.map((protocol) => [model, protocol] as const));

const COUNT = /^One, two, three 🙂, four, fünf, .* 十三, .*twenty\.$/;
const NO_ACCESS = { headers: {}, restrictedApi: {} };
const DEADLINES = { connect: 5_000, first: 60_000, idle: 60_000 };

const signal = (): AbortSignal => new AbortController().signal;
const chat = (content: string, more: object = {}) =>
  requestOf({ messages: [{ role: 'user', content }], ...more } as ChatBody);

describeWith(['triton'], 'a real Triton server', (folder) => {
  let triton: RealTriton;
  beforeAll(async () => {
    triton = await realTriton(folder!, { load: MODELS });
  });
  afterAll(() => triton?.stop());

  for (const [model, protocol] of ALL) {
    describeExpert(
      `triton, ${model}, ${protocol}`,
      () => tritonExpert(triton[protocol], { model }),
      // A token of the core model is a byte; the text is as long for all.
      { tells: TELLS[model], inUse: () => triton.running(), maxTokens: model === 'core' ? 256 : 64 },
    );
  }

  describe.each(ALL)('%s by %s', (model, protocol) => {
    const ask = async (content: string, more: object = {}) => {
      const expert = await tritonExpert(triton[protocol], { model });
      try {
        return await listen(expert, chat(content, { stream: true, ...more })).done;
      } finally {
        await expert.close();
      }
    };

    it('puts characters together that responses cut', async () => {
      const { body } = await ask('Count.');
      expect(textOf(body)).toMatch(COUNT);
      expect(body).not.toContain('\uFFFD');
    });

    it('takes an echoed prompt off', async () => {
      expect(textOf((await ask('Count. #echo')).body)).toMatch(COUNT);
    });

    it('does not take words that begin with the one before for a repetition', async () => {
      expect(textOf((await ask('Grow. #text=grow')).body)).toBe('a aa aaa aaaa aaaaa');
    });

    it('tells a failure before the first byte and one in mid-stream', async () => {
      const early = await ask('Fail. #fail=0');
      expect(early).toMatchObject({ body: '', failure: { code: 'expert_failed' } });
      expect(early.failure?.message).toContain('the script says so');
      const late = await ask('Fail. #fail=20');
      expect(late).toMatchObject({ status: 200, failure: { code: 'expert_failed' } });
      expect(textOf(late.body)).toMatch(/^One, two/);
    });

    it('is cancelled where it computes', async () => {
      const before = triton.cancelled();
      const expert = await tritonExpert(triton[protocol], { model });
      const heard = listen(expert, chat('Count slowly. #pause=50', { stream: true }));
      await heard.first;
      heard.generation.cancel();
      await eventually('the model sees it', () => triton.cancelled() === before + 1);
      await eventually('the model lets go', () => triton.running() === 0);
      await expert.close();
    });

    it('says that it is ready, and what it is', async () => {
      const expert = await tritonExpert(triton[protocol], { model });
      expect(await expert.health(signal())).toEqual({
        state: 'ready',
        detail: `model ${model}, dialect ${model}, ${protocol}`,
      });
      const about = await expert.describe!(signal());
      expect(about).toMatchObject({ engine: 'Triton', version: '2.51.0' });
      expect(about.dialect).toBe(`${model} over ${protocol === 'grpc' ? 'gRPC' : 'HTTP'}`);
      expect(about.models.toSorted()).toEqual(MODELS.toSorted());
      await expert.close();
    });
  });

  describe.each(PROTOCOLS)('faults by %s', (protocol) => {
    const failure = async (options: Readonly<Record<string, unknown>>) => {
      const expert = await tritonExpert(triton[protocol], options);
      const told = (await listen(expert, chat('Count.')).done).failure;
      const health = await expert.health(signal());
      await expert.close();
      return { code: told?.code, message: told?.message, health };
    };

    it('a model that is not loaded, and one that is not there', async () => {
      // An expert of a test before may have had it tried once more.
      await eventually(
        'nobody loads it',
        async () => (await failure({ model: 'broken' })).health.state === 'down',
      );
      const there = await failure({ model: 'broken' });
      expect(there).toMatchObject({ code: 'expert_not_ready', health: { state: 'down' } });
      expect(there.message).toContain(`expert-router triton load ${triton[protocol]} broken`);
      const missing = await failure({ model: 'nothing' });
      expect(missing).toMatchObject({ code: 'expert_not_ready', health: { state: 'down' } });
    });

    it('a model that cannot be chosen, and a dialect that is not its own', async () => {
      expect((await failure({})).message).toContain('serves several models. Name one with `model`:');
      const wrong = await failure({ model: 'vllm', dialect: 'ensemble' });
      expect(wrong.message).toMatch(/does not speak the dialect 'ensemble'.*It looks like 'vllm'/s);
    });

    it('a tensor that the server refuses', async () => {
      const server = await connectTriton(triton[protocol], NO_ACCESS, DEADLINES);
      const text = { name: 'text_input', datatype: 'BYTES', shape: [1, 1], values: ['Count.'] };
      const limit = { name: 'max_tokens', datatype: 'FP32', shape: [1, 1], values: ['many'] };
      const inputs = [text, limit];
      const responses = server.infer({ model: 'ensemble', id: 'x', inputs, decoupled: true }, signal());
      const read = async () => {
        for await (const _ of responses) expect.unreachable();
      };
      await expect(read()).rejects.toMatchObject({
        name: 'ServerError',
        // By HTTP a value that is of another type than its tensor is an internal error to Triton.
        fault: protocol === 'grpc' ? 'invalid' : 'failed',
      });
      server.close();
    });

    it('a model that cannot be loaded says why', async () => {
      const logged: string[] = [];
      const log = (line: string): void => void logged.push(line);
      const expert = await tritonExpert(triton[protocol], { model: 'broken', load: true }, { log });
      // It may have failed before we ask.
      expect(['warming', 'down']).toContain((await expert.health(signal())).state);
      await eventually('the failure is known', () =>
        logged.some((line) => line.includes('could not be loaded')),
      );
      const health = await expert.health(signal());
      expect(health).toMatchObject({ state: 'down' });
      expect(healthText(health)).toContain('these weights are broken');
      await expert.close();
    });
  });

  it('is examined by doctor, which says what ails each expert', async () => {
    const config = join(mkdtempSync(join(tmpdir(), 'doctor-')), 'experts.yaml');
    const expert = (id: string, url: string, more: string) =>
      `  - { id: ${id}, kind: triton, url: '${url}', metrics_url: '${triton.metrics}', chat_template: plain, ${more} }\n`;
    writeFileSync(
      config,
      `experts:\n${expert('well', triton.grpc, 'model: ensemble')}${expert('fine', triton.http, 'model: vllm')}` +
        expert('unloaded', triton.grpc, 'model: broken') +
        expert('forced', triton.http, 'model: vllm, dialect: core') +
        expert('wordless', triton.http, 'model: core'),
    );
    const doctor = command('doctor', '--config', config);
    expect(await doctor.ended).toBe(1);
    const of = (id: string) =>
      doctor
        .output()
        .split('\n\n')
        .find((part) => part.startsWith(`${id} (triton)`)) ?? '';
    expect(of('well')).toContain('Triton, 2.51.0, dialect ensemble over gRPC');
    for (const id of ['well', 'fine']) {
      expect(of(id)).not.toContain('FAILED');
      expect(of(id)).toMatch(/ok +streaming .*ok +metrics/s);
    }
    expect(of('unloaded')).toContain("model 'broken' is not loaded");
    expect(of('forced')).toContain("does not speak the dialect 'core'");
    expect(of('wordless')).toContain('takes token ids (dialect core), so the expert needs `tokenizer`');
  });

  it('reads the load from its metrics, and says so when they are gone', async () => {
    const metrics_url = triton.metrics;
    const expert = await tritonExpert(triton.grpc, { model: 'ensemble', metrics_url });
    expect(await expert.reportedLoad!(signal())).toEqual({ running: null, waiting: 0, kvCacheUse: null });
    await expert.close();
    const blind = await tritonExpert(triton.grpc, {
      model: 'ensemble',
      metrics_url: `${triton.http}/nothing`,
    });
    await expect(blind.reportedLoad!(signal())).rejects.toMatchObject({ name: 'FailureError' });
    await blind.close();
  });
});

describeWith(['triton'], 'a real Triton server that loads on request', (folder) => {
  let triton: RealTriton;
  beforeAll(async () => {
    triton = await realTriton(folder!, { load: [], environment: { SCRIPTED_LOAD_SECONDS: '1' } });
  });
  afterAll(() => triton?.stop());

  it.each(PROTOCOLS)('loads and unloads by %s, and tells how it goes', async (protocol) => {
    const server = await connectTriton(triton[protocol], NO_ACCESS, DEADLINES);
    const states: string[] = [];
    const work = {
      signal: signal(),
      interval: 50,
      progress: ({ state }: { state: string }) => void (states.at(-1) !== state && states.push(state)),
    };
    await load(server, 'vllm', work);
    // By HTTP the same thread of Triton may load and answer, so that the answer comes when loading is over.
    if (protocol === 'grpc') expect(states).toContain('LOADING');
    expect(states.at(-1)).toBe('READY');
    expect(await server.modelReady('vllm', signal())).toBe(true);
    await unload(server, 'vllm', work);
    expect(await server.modelReady('vllm', signal())).toBe(false);
    expect(states.at(-1)).toBe('UNAVAILABLE');
    server.close();
  });

  it('is told what to do by the command line', async () => {
    const run = async (...args: readonly string[]) => {
      const running = command('triton', ...args);
      return { code: await running.ended, output: running.output() };
    };
    expect(await run('index', triton.http)).toMatchObject({
      code: 0,
      output: expect.stringMatching(/llmapi.*not loaded/),
    });
    const loaded = await run('load', triton.grpc, 'llmapi');
    expect(loaded).toMatchObject({ code: 0, output: expect.stringContaining('llmapi is loaded.') });
    expect(loaded.output).toContain('llmapi: LOADING');
    expect((await run('index', triton.grpc)).output).toMatch(/llmapi\s+1\s+READY/);
    expect((await run('unload', triton.http, 'llmapi')).output).toContain('llmapi is unloaded.');
    const unknown = await run('load', triton.grpc, 'nothing');
    expect(unknown).toMatchObject({
      code: 1,
      output: expect.stringContaining("There is no model 'nothing'"),
    });
    expect(await run('load', triton.grpc, 'broken')).toMatchObject({
      code: 1,
      output: expect.stringContaining('these weights are broken'),
    });
    expect((await run('index', 'tcp://x')).output).toContain('is not the address of a Triton server');
  });

  it.each(PROTOCOLS)(
    'is told by the gateway, by %s, to load what is needed and to unload what is idle',
    async (protocol) => {
      const server = await connectTriton(triton[protocol], NO_ACCESS, DEADLINES);
      const isLoaded = (): Promise<boolean> => server.modelReady('vllm', signal());
      const router = await gateway(
        `experts: [{ id: law, kind: triton, url: '${triton[protocol]}', model: vllm, chat_template: plain, start: engine, idle: 1s }]`,
        { probes: true },
      );
      try {
        expect(await isLoaded()).toBe(false);
        const ask = () =>
          router.post('/v1/chat/completions', { messages: [{ role: 'user', content: 'Count.' }] });
        // The first is held until it is there, the second finds it unloaded again.
        for (let time = 0; time < 2; time++) {
          const answer = await ask();
          expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('twenty')]);
          expect(await isLoaded()).toBe(true);
          await eventually('it is unloaded', async () => !(await isLoaded()));
        }
        expect(router.logged.join('\n')).toContain("Expert 'law' is started: its engine loads its model");
      } finally {
        await router.close();
        server.close();
      }
    },
  );

  it.each(PROTOCOLS)(
    'survives the end of the server in mid-stream by %s, and its restart',
    async (protocol) => {
      const expert = await tritonExpert(triton[protocol], { model: 'ensemble', load: true });
      const ready = () =>
        eventually('it is ready', async () => (await expert.health(signal())).state === 'ready');
      await ready();
      const heard = listen(expert, chat('Count slowly. #pause=100', { stream: true }));
      await heard.first;
      await triton.kill();
      expect((await heard.done).failure?.code).toBe('expert_cut_stream');
      expect(heard.calls).not.toContain('end');
      expect((await expert.health(signal())).state).toBe('down');
      expect((await listen(expert, chat('Count.')).done).failure?.code).toBe('expert_unreachable');
      await triton.restart();
      await ready();
      expect(textOf((await listen(expert, chat('Count.')).done).body)).toMatch(COUNT);
      await expert.close();
    },
  );
});

describeWith(['triton'], 'a real Triton server with restricted APIs', (folder) => {
  let triton: RealTriton;
  beforeAll(async () => {
    const apis = 'inference,metadata,model-config,model-repository:team-key=secret';
    triton = await realTriton(folder!, {
      load: ['ensemble'],
      arguments: [`--grpc-restricted-protocol=${apis}`, `--http-restricted-api=${apis}`],
    });
  });
  afterAll(() => triton?.stop());

  it.each(PROTOCOLS)('lets in by %s whoever has the key', async (protocol) => {
    const inside = await tritonExpert(triton[protocol], {
      model: 'ensemble',
      restricted_api: { 'team-key': 'secret' },
    });
    expect(textOf((await listen(inside, chat('Count.')).done).body)).toMatch(COUNT);
    await inside.close();
    const outside = await tritonExpert(triton[protocol], { model: 'ensemble' });
    const { failure } = await listen(outside, chat('Count.')).done;
    expect(failure?.message).toContain('`restricted_api`');
    await outside.close();
  });
});

describeWith(['triton'], 'a real Triton server that encrypts', (folder) => {
  it('is reached by grpcs, and a proxy by https, with the certificate of their authority alone', async () => {
    const path = mkdtempSync(join(tmpdir(), 'authority-'));
    const [cert, key] = [join(path, 'cert.pem'), join(path, 'key.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const files = ['-nodes', '-keyout', key, '-out', cert];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', ...files, ...subject], {
      stdio: 'ignore',
    });
    const triton = await realTriton(folder!, {
      load: ['ensemble'],
      arguments: ['--grpc-use-ssl=true', `--grpc-server-cert=${cert}`, `--grpc-server-key=${key}`],
    });
    const proxy = createServer(
      { cert: readFileSync(cert), key: readFileSync(key) },
      async (request, response) => {
        const { method = 'GET', url = '' } = request;
        const body = method === 'POST' ? Buffer.concat(await request.toArray()) : null;
        const answer = await fetch(triton.http + url, { method, body });
        response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
      },
    ).listen(0);
    const { port } = proxy.address() as AddressInfo;
    for (const url of [
      triton.grpc.replace('grpc://127.0.0.1', 'grpcs://localhost'),
      `https://localhost:${port}`,
    ]) {
      const trusting = await tritonExpert(url, { model: 'ensemble', tls_ca: cert });
      expect(textOf((await listen(trusting, chat('Count.')).done).body)).toMatch(COUNT);
      await trusting.close();
      const other = await tritonExpert(url, { model: 'ensemble' });
      const { failure } = await listen(other, chat('Count.')).done;
      expect(failure).toMatchObject({ code: 'expert_unreachable' });
      expect(failure?.message).toContain('self-signed certificate');
      await other.close();
    }
    await proxy.close();
    await triton.stop();
  });
});

describeWith(['triton'], 'a real Triton server in its usual control mode', (folder) => {
  it.each(PROTOCOLS)('refuses to load by %s, and we say the cure', async (protocol) => {
    const only = (repository: string) => writeRepository(repository, ['vllm']);
    const triton = await realTriton(folder!, { load: [], control: 'none', models: only });
    try {
      const server = await connectTriton(triton[protocol], NO_ACCESS, DEADLINES);
      await expect(load(server, 'vllm', { signal: signal() })).rejects.toThrow(
        '--model-control-mode=explicit',
      );
      server.close();
      const expert = await tritonExpert(triton[protocol]);
      expect(textOf((await listen(expert, chat('Count.')).done).body)).toMatch(COUNT);
      await expert.close();
    } finally {
      await triton.stop();
    }
  });
});

describeWith(['triton'], "NVIDIA's client", (folder) => {
  const python = async (script: string, ...args: readonly string[]): Promise<unknown> => {
    const path = join(import.meta.dirname, 'triton', script);
    const { stdout } = await promisify(execFile)(join(folder!, 'bin', 'python'), [path, ...args]);
    return JSON.parse(stdout);
  };

  it('knows every field and call of our .proto by the same number and type', async () => {
    const messages = loadSync(join(import.meta.dirname, '../../src/serving/experts/triton/inference.proto'), {
      keepCase: true,
    });
    const [file] = (messages['inference.ModelInferRequest'] as MessageTypeDefinition<object, object>)
      .fileDescriptorProtos;
    const report = (await python('descriptors.py', file!.toString('base64'))) as {
      compared: number;
      differences: unknown;
    };
    expect(report.differences).toEqual([]);
    expect(report.compared).toBeGreaterThan(60);
  });

  it('is served by our stand-in as by a real server', async () => {
    const double = await tritonDouble({
      steps: () => [
        { outputs: { text_output: 'Good ', num_output_tokens: [1] } },
        { outputs: { text_output: 'morning 🙂', num_output_tokens: [2] } },
        'final',
      ],
    });
    const real = await realTriton(folder!, { load: ['ensemble'] });
    try {
      const said = (await python('client.py', double.grpc)) as ClientReport;
      const asReal = (await python('client.py', real.grpc)) as ClientReport;
      expect(said).toMatchObject({ text: 'Good morning 🙂', counts: [1, 2], finals: [false, false, true] });
      expect(asReal.text).toMatch(COUNT);
      expect(asReal.finals.at(-1)).toBe(true);
      expect(said.ready).toEqual(asReal.ready);
      expect(said.metadata).toEqual(asReal.metadata);
      expect(said.config).toEqual(asReal.config);
      expect(said.unknown).toEqual(asReal.unknown);
      expect(said.index).toEqual(asReal.index);
    } finally {
      await Promise.all([double.close(), real.stop()]);
    }
  });
});

interface ClientReport {
  readonly text: string;
  readonly ready: readonly boolean[];
  readonly counts: readonly number[];
  readonly finals: readonly boolean[];
  readonly metadata: unknown;
  readonly config: unknown;
  readonly unknown: unknown;
  readonly index: unknown;
}
