/** Answers are made from the engines' documented formats and their sources; none was recorded from a GPU. */
import { describe, expect, it } from 'vitest';
import type { Asked } from './ask.ts';
import { type Answers, recognise } from './recognise.ts';

const json = (value: unknown, status = 200, headers = {}): Asked => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(value),
});
const missing = json({ detail: 'Not Found' }, 404, { server: 'uvicorn' });
const list = (owner: string, ...ids: string[]): Asked =>
  json({ object: 'list', data: ids.map((id) => ({ id, object: 'model', created: 1, owned_by: owner })) });
const ELSEWHERE: Answers = {
  models: missing,
  version: missing,
  props: missing,
  ollama: missing,
  sglang: missing,
  tgi: missing,
  kserve: missing,
};
const all = (asked: Asked): Answers =>
  Object.fromEntries(Object.keys(ELSEWHERE).map((name) => [name, asked])) as Answers;

const VLLM: Answers = {
  ...ELSEWHERE,
  models: list('vllm', 'org/m', 'lora'),
  version: json({ version: '0.11.0' }),
};
const LLAMA: Answers = {
  ...ELSEWHERE,
  models: list('llamacpp', 'm.gguf'),
  props: json({ total_slots: 4, model_path: '/m.gguf', build_info: 'b6700-1a2b3c4' }),
};
const TRITON: Answers = {
  ...ELSEWHERE,
  models: { status: 400, headers: {}, body: '' },
  kserve: json({ name: 'triton', version: '2.51.0', extensions: ['classification', 'model_repository'] }),
};

describe('recognise', () => {
  it.each([
    ['vLLM', VLLM, { engine: 'vLLM', version: '0.11.0', models: ['org/m', 'lora'], apis: ['openai'] }],
    [
      'SGLang',
      {
        ...ELSEWHERE,
        models: list('sglang', 'm'),
        sglang: json({ model_path: 'm', version: '0.5.4', internal_states: [] }),
      },
      { engine: 'SGLang', version: '0.5.4', models: ['m'] },
    ],
    [
      'trtllm-serve',
      { ...ELSEWHERE, models: list('tensorrt_llm', 'm'), version: json({ version: '1.1.0' }) },
      { engine: 'TensorRT-LLM', version: '1.1.0', models: ['m'] },
    ],
    ['llama-server', LLAMA, { engine: 'llama.cpp', version: 'b6700-1a2b3c4', models: ['m.gguf'] }],
    [
      'Ollama',
      { ...ELSEWHERE, models: list('library', 'llama3.2:1b'), ollama: json({ version: '0.12.6' }) },
      { engine: 'Ollama', version: '0.12.6', models: ['llama3.2:1b'] },
    ],
    [
      'TGI',
      {
        ...ELSEWHERE,
        models: list('org/m', 'org/m'),
        tgi: json({ model_id: 'org/m', max_total_tokens: 4096, version: '3.3.4', sha: 'abc' }),
      },
      { engine: 'TGI', version: '3.3.4', models: ['org/m'] },
    ],
    ['Triton', TRITON, { engine: 'Triton', version: '2.51.0', models: [], apis: ['kserve'] }],
    [
      "Triton's OpenAI frontend",
      { ...ELSEWHERE, models: list('Triton Inference Server', 'm') },
      { engine: 'Triton', version: null, models: ['m'], apis: ['openai'] },
    ],
    [
      'another router',
      { ...ELSEWHERE, models: list('expert-router', 'auto', 'code') },
      { engine: 'Expert Router', apis: ['openai'] },
    ],
    [
      'a server that does not name itself',
      { ...ELSEWHERE, models: list('me', 'm') },
      { engine: null, version: null, models: ['m'], apis: ['openai'] },
    ],
    [
      'a list without an object around it',
      { ...ELSEWHERE, models: json([{ id: 'm' }]) },
      { engine: null, models: ['m'] },
    ],
  ])('knows %s', (_, answers, expected) => {
    expect(recognise(answers)).toMatchObject({ state: 'engine', ...expected });
  });

  it('is sure of an engine that answers some questions only, while others hang', () => {
    const silent: Asked = { failure: 'silent', detail: 'no answer in time' };
    expect(recognise({ ...all(silent), models: list('vllm', 'm') })).toMatchObject({
      state: 'engine',
      engine: 'vLLM',
      version: null,
    });
  });

  it('says so where two engines answer from one address', () => {
    const mixed = recognise({ ...VLLM, props: LLAMA.props! });
    expect(mixed).toMatchObject({ state: 'several', engines: ['vLLM', 'llama.cpp'] });
    expect(mixed).toMatchObject({ detail: expect.stringContaining('vLLM and llama.cpp') });
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
    ['a server that wants a key', json({ error: 'Unauthorized' }, 401), 'locked', /401/],
    ['a server that hangs', { failure: 'silent', detail: 'no answer in time' }, 'silent', /in time/],
    ['gRPC or anything else', { failure: 'garbled', detail: 'not HTTP' }, 'foreign', /not an HTTP/],
    ['a closed port', { failure: 'refused', detail: 'ECONNREFUSED' }, 'nothing', /ECONNREFUSED/],
  ])('has a clear state for %s', (_, asked, state, detail) => {
    expect(recognise(all(asked))).toMatchObject({ state, detail: expect.stringMatching(detail) });
  });

  it('takes nothing for a model that has no name, and no broken JSON for an answer', () => {
    expect(
      recognise({ ...ELSEWHERE, models: json({ data: [{}, null, { id: 7 }, { id: 'm' }] }) }),
    ).toMatchObject({
      models: ['m'],
    });
    const broken: Asked = { status: 200, headers: {}, body: '{"data": [' };
    expect(recognise(all(broken)).state).toBe('foreign');
  });
});
