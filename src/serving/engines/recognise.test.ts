/** Answers are made from the engines' documented formats and their sources; none was recorded from a GPU. */
import { describe, expect, it } from 'vitest';
import type { Answers } from './answers.ts';
import type { Asked } from './ask.ts';
import { failureText } from './failure.ts';
import { ENGINES } from './index.ts';
import { PAGES, recognise } from './recognise.ts';

const json = (value: unknown, status = 200, headers = {}): Asked => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(value),
});
const missing = json({ detail: 'Not Found' }, 404, { server: 'uvicorn' });
const list = (owner: string, ...ids: string[]): Asked =>
  json({ object: 'list', data: ids.map((id) => ({ id, object: 'model', created: 1, owned_by: owner })) });
const all = (asked: Asked): Answers => Object.fromEntries(PAGES.map((path) => [path, asked]));
const ELSEWHERE = all(missing);

const VLLM: Answers = {
  ...ELSEWHERE,
  '/v1/models': list('vllm', 'org/m', 'lora'),
  '/version': json({ version: '0.11.0' }),
};
const LLAMA: Answers = {
  ...ELSEWHERE,
  '/v1/models': list('llamacpp', 'm.gguf'),
  '/props': json({ total_slots: 4, model_path: '/m.gguf', build_info: 'b6700-1a2b3c4' }),
};
const TRITON: Answers = {
  ...ELSEWHERE,
  '/v1/models': { status: 400, headers: {}, body: '' },
  '/v2': json({ name: 'triton', version: '2.51.0', extensions: ['classification', 'model_repository'] }),
};

describe('recognise', () => {
  it.each([
    [
      'vLLM',
      VLLM,
      { engine: { name: 'vLLM' }, version: '0.11.0', models: ['org/m', 'lora'], apis: ['openai'] },
    ],
    [
      'SGLang',
      {
        ...ELSEWHERE,
        '/v1/models': list('sglang', 'm'),
        '/get_server_info': json({ model_path: 'm', version: '0.5.4', internal_states: [] }),
      },
      { engine: { name: 'SGLang' }, version: '0.5.4', models: ['m'] },
    ],
    [
      'trtllm-serve',
      { ...ELSEWHERE, '/v1/models': list('tensorrt_llm', 'm'), '/version': json({ version: '1.1.0' }) },
      { engine: { name: 'TensorRT-LLM' }, version: '1.1.0', models: ['m'] },
    ],
    ['llama-server', LLAMA, { engine: { name: 'llama.cpp' }, version: 'b6700-1a2b3c4', models: ['m.gguf'] }],
    [
      'Ollama',
      {
        ...ELSEWHERE,
        '/v1/models': list('library', 'llama3.2:1b'),
        '/api/version': json({ version: '0.12.6' }),
      },
      { engine: { name: 'Ollama' }, version: '0.12.6', models: ['llama3.2:1b'] },
    ],
    [
      'TGI',
      {
        ...ELSEWHERE,
        '/v1/models': list('org/m', 'org/m'),
        '/info': json({ model_id: 'org/m', max_total_tokens: 4096, version: '3.3.4', sha: 'abc' }),
      },
      { engine: { name: 'TGI' }, version: '3.3.4', models: ['org/m'] },
    ],
    ['Triton', TRITON, { engine: { name: 'Triton' }, version: '2.51.0', models: [], apis: ['kserve'] }],
    [
      "Triton's OpenAI frontend",
      { ...ELSEWHERE, '/v1/models': list('Triton Inference Server', 'm') },
      { engine: { name: 'Triton' }, version: null, models: ['m'], apis: ['openai'] },
    ],
    [
      'another router',
      { ...ELSEWHERE, '/v1/models': list('expert-router', 'auto', 'code') },
      { engine: { name: 'Expert Router' }, apis: ['openai'] },
    ],
    [
      'a server that does not name itself',
      { ...ELSEWHERE, '/v1/models': list('me', 'm') },
      { engine: null, version: null, models: ['m'], apis: ['openai'] },
    ],
    [
      'a list without an object around it',
      { ...ELSEWHERE, '/v1/models': json([{ id: 'm' }]) },
      { engine: null, models: ['m'] },
    ],
  ])('knows %s', (_, answers, expected) => {
    expect(recognise(answers)).toMatchObject({ kind: 'engine', ...expected });
  });

  it('is sure of an engine that answers some questions only, while others hang', () => {
    const silent: Asked = { kind: 'timeout', detail: 'no answer in time' };
    expect(recognise({ ...all(silent), '/v1/models': list('vllm', 'm') })).toMatchObject({
      kind: 'engine',
      engine: { name: 'vLLM' },
      version: null,
    });
  });

  it('says so where two engines answer from one address', () => {
    const mixed = recognise({ ...VLLM, '/props': LLAMA['/props']! });
    expect(mixed).toEqual({ kind: 'several', engines: ['vLLM', 'llama.cpp'] });
  });

  it.each<[string, Asked, string, RegExp]>([
    [
      'an HTML page everywhere',
      { status: 200, headers: { 'content-type': 'text/html', server: 'nginx' }, body: '<!doctype html>' },
      'foreign',
      /HTML.*nginx/,
    ],
    ['nothing but 404', missing, 'foreign', /404.*uvicorn/],
    ['JSON that is no list', json({ hello: 'world' }), 'foreign', /200/],
    ['a model still loading', json({ error: { message: 'Loading model' } }, 503), 'loading', /Loading model/],
    ['a server that wants a key', json({ error: 'Unauthorized' }, 401), 'unauthorized', /401/],
    ['a server that hangs', { kind: 'timeout', detail: 'no answer in time' }, 'timeout', /in time/],
    [
      'gRPC or anything else',
      { kind: 'wrong-protocol', expected: 'HTTP/1.1', detail: 'a strange line' },
      'wrong-protocol',
      /HTTP\/1\.1.*a strange line/,
    ],
    [
      'a closed port',
      { kind: 'unreachable', code: 'ECONNREFUSED', detail: 'connect ECONNREFUSED' },
      'unreachable',
      /ECONNREFUSED/,
    ],
  ])('fails in a way of its own for %s', (_, asked, kind, words) => {
    const failure = recognise(all(asked));
    expect(failure.kind).toBe(kind);
    if (failure.kind !== 'engine') expect(failureText(failure)).toMatch(words);
  });

  it('takes nothing for a model that has no name, and no broken JSON for an answer', () => {
    expect(
      recognise({ ...ELSEWHERE, '/v1/models': json({ data: [{}, null, { id: 7 }, { id: 'm' }] }) }),
    ).toMatchObject({
      models: ['m'],
    });
    const broken: Asked = { status: 200, headers: {}, body: '{"data": [' };
    expect(recognise(all(broken)).kind).toBe('foreign');
  });
});

describe('the table', () => {
  it('gives every engine an id and a name of its own, and every sign to one engine', () => {
    for (const names of [ENGINES.map(({ id }) => id), ENGINES.map(({ name }) => name)])
      expect(new Set(names).size).toBe(ENGINES.length);
    const owners = ENGINES.flatMap(({ signs }) => signs?.ownedBy ?? []);
    expect(new Set(owners).size).toBe(owners.length);
    const metrics = ENGINES.map(
      ({ metrics: { load = [] } = {} }) =>
        new Set(
          load.flatMap(({ running, waiting }) => [...(running?.names ?? []), ...(waiting?.names ?? [])]),
        ),
    );
    const all = metrics.flatMap((names) => [...names]);
    expect(new Set(all).size).toBe(all.length);
  });
});
