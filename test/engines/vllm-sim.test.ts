/** vLLM's API and metrics as llm-d's simulator has them: real HTTP, real queueing, no model. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ChatBody } from '../../src/serving/dialects/openai/bodies.ts';
import { probe } from '../../src/serving/engines/probe.ts';
import { events, listen, requestOf, textOf } from '../../src/serving/experts/expert.contract.tools.ts';
import type { Expert } from '../../src/serving/experts/expert.ts';
import { eventually, gateway } from '../support/gateway.ts';
import { describeWith } from './component.ts';
import { type EngineProcess, engineProcess } from './engine-process.ts';
import { doctorAt, loadAt, openaiAt } from './openai-at.ts';

const SEATS = 2;
const PROMPT = 'a prompt with enough words in it that some blocks of the cache fill up, '.repeat(4);

describeWith(['vllm-sim'], 'a simulated vLLM', (folder) => {
  let server: EngineProcess;
  let expert: Expert;
  beforeAll(async () => {
    const cache = [
      '--enable-kvcache',
      '--kv-cache-size',
      '64',
      '--block-size',
      '16',
      '--force-dummy-tokenizer',
    ];
    const pace = [
      '--time-to-first-token',
      '100ms',
      '--inter-token-latency',
      '50ms',
      '--max-num-seqs',
      `${SEATS}`,
    ];
    server = await engineProcess({
      program: join(folder!, 'bin', 'llm-d-inference-sim'),
      args: (port) => [
        '--model',
        'org/m',
        '--port',
        `${port}`,
        '--mode',
        'echo',
        '--seed',
        '1',
        ...pace,
        ...cache,
        '--max-loras',
        '1',
      ],
      // It names itself by this in the events of its cache, and will not start without.
      environment: { POD_IP: '127.0.0.1' },
      ready: '/health',
    });
    expert = await openaiAt(server.url, { model: 'org/m' });
  });
  afterAll(async () => {
    await expert?.close();
    await server?.kill();
  });
  const ask = (more: object = {}) =>
    listen(expert, requestOf({ messages: [{ role: 'user', content: PROMPT }], ...more } as ChatBody));

  it('is recognised as vLLM, with its model', async () => {
    const found = await probe(new URL(server.url), { within: 5_000 });
    expect(found).toMatchObject({
      kind: 'engine',
      engine: { name: 'vLLM' },
      models: ['org/m'],
      apis: ['openai'],
    });
  });

  it('passes the doctor: engine, model, answers, streaming, cancelling and metrics', async () => {
    const found = await doctorAt(server.url, ', model: org/m');
    expect(found.engine?.detail).toBe('vLLM, quirks vllm');
    for (const name of ['reachable', 'engine', 'model', 'answer', 'usage', 'streaming', 'cancel', 'metrics'])
      expect(found[name]).toMatchObject({ name, finding: 'ok' });
  });

  it('streams what it answers whole, with usage as asked and its own end', async () => {
    const asked = { messages: [{ role: 'user', content: 'say these few words again' }] };
    const { choices, usage } = JSON.parse((await ask(asked).done).body);
    const { body, outcome } = await ask({ ...asked, stream: true, stream_options: { include_usage: true } })
      .done;
    expect(textOf(body)).toBe(choices[0].message.content);
    expect(textOf(body).length).toBeGreaterThan(0);
    const { prompt_tokens, completion_tokens } = usage;
    expect(events(body).at(-1).usage).toMatchObject({ prompt_tokens, completion_tokens });
    expect(outcome?.usage).toMatchObject({ inputTokens: prompt_tokens, outputTokens: completion_tokens });
    expect(body.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  it('tells what runs, what waits and how full the cache is, and that all of it ends', async () => {
    const askers = Array.from({ length: SEATS + 3 }, () => ask({ stream: true }));
    await eventually('both seats are taken, three wait, and the cache fills', async () => {
      const { running, waiting, kvCacheUse } = await loadAt(server.url, 'vLLM');
      return running === SEATS && waiting === 3 && kvCacheUse! > 0;
    });
    for (const { generation } of askers) generation.cancel();
    await eventually('nothing runs or waits', async () => {
      const { running, waiting, kvCacheUse } = await loadAt(server.url, 'vLLM');
      return running === 0 && waiting === 0 && kvCacheUse === 0;
    });
  });

  it('loads LoRA adapters on request, and tells which are in GPU memory', async () => {
    const adapters = await Promise.all(
      ['sql', 'law'].map((model) => openaiAt(server.url, { model, lora: { path: `/adapters/${model}` } })),
    );
    const [sql, law] = adapters as [Expert, Expert];
    const signal = AbortSignal.timeout(20_000);
    await eventually('both are loaded', async () =>
      (await Promise.all(adapters.map((one) => one.health(signal)))).every(({ state }) => state === 'ready'),
    );
    const resident = async () => {
      for (const one of adapters) await one.reportedLoad!(signal);
      return [sql.adapter?.resident, law.adapter?.resident];
    };
    const short = {
      messages: [
        { role: 'user' as const, content: 'a few words that last for a second or so, and some more' },
      ],
    };
    expect(await resident()).toEqual([false, false]);
    const answer = listen(sql, requestOf(short as ChatBody));
    await eventually('one is seen', async () => (await resident())[0] === true);
    expect((await answer.done).status).toBe(200);
    expect(await resident()).toEqual([true, false]);
    const other = listen(law, requestOf(short as ChatBody));
    await eventually('the other takes its place', async () => (await resident()).join() === 'false,true');
    await other.done;
    for (const one of adapters) {
      await one.unload!(signal);
      await one.close();
    }
    const { data } = (await (await fetch(`${server.url}/v1/models`)).json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(['org/m']);
  });

  it('writes errors as vLLM does, which are OpenAI’s and pass unchanged', async () => {
    const other = await openaiAt(server.url, { model: 'nobody' });
    const { status, body } = await listen(other, requestOf({ messages: [{ role: 'user', content: 'x' }] }))
      .done;
    expect(status).toBe(404);
    expect(JSON.parse(body).error).toEqual({
      message: 'The model `nobody` does not exist.',
      type: 'NotFoundError',
      param: null,
      code: 404,
    });
    await other.close();
  });
});

describeWith(['vllm-sim'], 'a simulated vLLM that fails', (folder) => {
  it('loses its requests to the next expert', async () => {
    const fleet = await Promise.all(
      [['--failure-injection-rate', '100', '--failure-types', 'server_error'], []].map((more) =>
        engineProcess({
          program: join(folder!, 'bin', 'llm-d-inference-sim'),
          args: (port) => ['--model', 'm', '--port', `${port}`, '--mode', 'echo', ...more],
          ready: '/health',
        }),
      ),
    );
    const router = await gateway(`
experts:
  - { id: failing, kind: openai, model: m, url: '${fleet[0]!.url}', samples: [Write a Python function] }
  - { id: well, kind: openai, model: m, url: '${fleet[1]!.url}' }
`);
    const messages = [{ role: 'user', content: 'Write a Python function' }];
    for (const stream of [false, true]) {
      const response = await router.post('/v1/chat/completions', { messages, stream, max_tokens: 5 });
      expect([response.status, response.headers.get('x-expert-router-expert')]).toEqual([200, 'well']);
      expect(textOf(await response.text()).length).toBeGreaterThan(0);
    }
    await router.close();
    await Promise.all(fleet.map((one) => one.kill()));
  });
});
