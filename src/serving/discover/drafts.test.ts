import { describe, expect, it } from 'vitest';
import { engineNamed } from '../engines/index.ts';
import type { EngineSighting, Sighting } from '../engines/recognise.ts';
import { draft, type Surroundings } from './drafts.ts';

const engine = (more: Partial<EngineSighting> = {}): EngineSighting => ({
  kind: 'engine',
  engine: engineNamed('vLLM'),
  version: '0.11.0',
  models: ['org/Model-7B'],
  apis: ['openai'],
  ...more,
});
const CLOSED: Sighting = { kind: 'unreachable', code: 'ECONNREFUSED', detail: 'connect ECONNREFUSED' };
const TRADES = { code: { description: 'Writes programs', samples: ['Write a function'] } };
const OPENAI = { variable: 'OPENAI_API_KEY', kind: 'openai', url: 'https://api.openai.com/v1' } as const;
const ANTHROPIC = {
  variable: 'ANTHROPIC_API_KEY',
  kind: 'anthropic',
  url: 'https://api.anthropic.com',
} as const;

function drafted(sightings: Record<string, Sighting>, more: Partial<Surroundings> = {}) {
  const findings = Object.entries(sightings).map(([address, sighting]) => ({
    address,
    sighting,
  }));
  return draft({ findings, clouds: [], keys: [], kinds: ['openai', 'triton'], trades: TRADES, ...more });
}

describe('draft', () => {
  it('makes one expert a model, the first without a trade the fallback', () => {
    const { experts, found } = drafted({
      'http://h:11434': engine({
        engine: engineNamed('Ollama'),
        models: ['qwen2.5-coder:7b', 'llama3.2:1b', 'nomic-embed-text'],
      }),
    });
    expect(experts).toEqual([
      {
        id: 'qwen2.5-coder-7b',
        kind: 'openai',
        url: 'http://h:11434',
        model: 'qwen2.5-coder:7b',
        ...TRADES.code,
      },
      { id: 'llama3.2-1b', kind: 'openai', url: 'http://h:11434', model: 'llama3.2:1b', fallback: true },
    ]);
    expect(found).toEqual(['http://h:11434: Ollama 0.11.0, qwen2.5-coder:7b, llama3.2:1b']);
  });

  it('describes models of known families, and leaves the rest to the broad one', () => {
    const { experts } = drafted({
      'http://h:11434': engine({ models: ['medgemma:4b', 'llama3.2:1b', 'qwen2.5vl-7b-vl-chat', 'Saul-7B'] }),
    });
    expect(experts.map(({ description, fallback }) => fallback ?? description)).toEqual([
      'Medicine: symptoms, diseases, drugs, treatment',
      true,
      'Describes pictures and reads text in them',
      'Law: contracts, rights, courts',
    ]);
  });

  it('takes the same model at two addresses for two replicas, and gives ids only once', () => {
    const { experts } = drafted({
      'http://h:8000': engine({ models: ['org/M', 'other/m', 'auto', '日本'] }),
      'http://h:30000': engine({ engine: engineNamed('SGLang'), models: ['org/M'] }),
    });
    expect(experts.map(({ id }) => id)).toEqual(['m', 'm-2', 'model-auto', 'model']);
    expect(experts[0]!.url).toEqual(['http://h:8000', 'http://h:30000']);
  });

  it('speaks gRPC to a Triton that has both doors, HTTP to one that has one', () => {
    const triton = engine({ engine: engineNamed('Triton'), models: ['ensemble'], apis: ['kserve'] });
    const both = drafted({ 'http://h:8000': triton, 'grpc://h:8001': triton });
    expect(both.experts).toMatchObject([{ kind: 'triton', url: 'grpc://h:8001', model: 'ensemble' }]);
    const one = drafted({ 'http://h:8000': triton, 'grpc://h:8001': CLOSED });
    expect(one.experts).toMatchObject([{ kind: 'triton', url: 'http://h:8000' }]);
    expect(drafted({ 'http://h:8000': triton }, { kinds: ['openai'] })).toMatchObject({
      experts: [],
      left: [expect.stringMatching(/no kind of expert/)],
    });
  });

  it('leaves a router, a web server, two engines on one port and one that loads, and says why', () => {
    const { experts, left } = drafted({
      'http://h:8080': engine({ engine: engineNamed('Expert Router'), version: null }),
      'http://h:1': { kind: 'foreign', html: true, statuses: [200], server: 'nginx' },
      'http://h:2': { kind: 'several', engines: ['vLLM', 'SGLang'] },
      'http://h:3': { kind: 'loading', detail: 'Loading model' },
      'http://h:4': CLOSED,
    });
    expect(experts).toEqual([]);
    expect(left).toEqual([
      'http://h:8080: Expert Router; a router is no expert of a router',
      'http://h:1: a web server with HTML pages (nginx)',
      'http://h:2: answers of vLLM and SGLang come from this one address',
      'http://h:3: Loading model',
    ]);
  });

  it('names keys and uses only those that it was told to, by the variable and not by the secret', () => {
    const clouds = [OPENAI, ANTHROPIC];
    expect(drafted({}, { clouds })).toMatchObject({
      experts: [],
      left: [expect.stringMatching(/OPENAI_API_KEY is set and left alone.*--use-key OPENAI_API_KEY=MODEL/)],
    });
    const keys = [
      { variable: 'ANTHROPIC_API_KEY', model: 'claude-x' },
      { variable: 'OPENAI_API_KEY', model: 'gpt-x' },
    ];
    const { experts } = drafted({}, { clouds, keys, kinds: ['openai', 'anthropic'] });
    expect(experts).toMatchObject([
      { id: 'gpt-x', kind: 'openai', api_key: '${OPENAI_API_KEY}', fallback: true },
      { id: 'claude-x', kind: 'anthropic', api_key: '${ANTHROPIC_API_KEY}' },
    ]);
  });
});
