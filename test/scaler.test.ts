/** The external scaler, asked as KEDA asks it; `npm run test:scale keda` asks with KEDA's own client. */
import { readFileSync } from 'node:fs';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createGateway, type EmbeddedGateway } from '../src/index.ts';
import { externalScalerService } from '../src/serving/scaler/server.ts';
import { eventually } from './support/gateway.ts';
import { type Answer, polite, type Upstream, upstream } from './support/upstream.ts';

type Metadata = Readonly<Record<string, string>>;

const CODE = 'Write a Python function that reverses a list';
let gateway: EmbeddedGateway;
let client: Client;
let server: Upstream;
let url = '';
let release = (): void => {};

afterEach(async () => {
  release();
  client.close();
  await gateway.close({ graceMs: 0 });
  await server.close();
});

/** Answers only when it is let, so that requests stay in flight. */
const held: Answer = async (response, request) => {
  if (request.method !== 'GET')
    await new Promise<void>((resolve) => {
      const before = release;
      release = () => {
        before();
        resolve();
      };
    });
  return polite(response, request);
};

async function start(answer: Answer, more = ''): Promise<void> {
  release = () => {};
  server = await upstream(answer);
  gateway = await createGateway(
    `experts:
  - { id: code, kind: openai, url: '${server.url}', samples: ['${CODE}']${more} }
  - { id: cold, kind: openai, url: 'http://127.0.0.1:1', samples: ['Wie koche ich Risotto?'] }`,
    { probes: false },
  );
  url = await gateway.listen({ host: '127.0.0.1', port: 0 });
  client = new Client(await gateway.listenScaler({ port: 0 }), credentials.createInsecure());
}

function call<Answered>(name: string, request: object): Promise<Answered> {
  const { path, requestSerialize, responseDeserialize } = externalScalerService()[name]!;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      (error: ServiceError | null, answer?: Answered) => (error ? reject(error) : resolve(answer!)),
    );
  });
}

const of = (metadata: Metadata) => ({ name: 'so', namespace: 'llm', scalerMetadata: metadata });
const metric = async (metadata: Metadata) => {
  const asked = { scaledObjectRef: of(metadata), metricName: metadata.metric ?? 'work' };
  const { metricValues } = await call<{
    metricValues: readonly { metricName: string; metricValue?: number; metricValueFloat?: number }[];
  }>('GetMetrics', asked);
  return metricValues[0]!;
};
const active = async (metadata: Metadata): Promise<boolean> =>
  (await call<{ result?: boolean }>('IsActive', of(metadata))).result ?? false;
const ask = (content = CODE, model = 'auto') =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model, max_tokens: 100, messages: [{ role: 'user', content }] }),
  }).then((response) => response.text());

describe('the external scaler', () => {
  it('tells its metrics and their targets', async () => {
    await start(polite);
    const spec = (metadata: Metadata) => call('GetMetricSpec', of(metadata));
    const told = (metricName: string, targetSize: number, targetSizeFloat = targetSize) => ({
      metricSpecs: [{ metricName, targetSize, targetSizeFloat }],
    });
    expect(await spec({ expert: 'code' })).toEqual(told('work', 10));
    expect(await spec({ expert: 'code', target: '2.5' })).toEqual(told('work', 3, 2.5));
    expect(await spec({ expert: 'code', metric: 'arrivals' })).toEqual(told('arrivals', 1, 0.7));
  });

  it.each<[Metadata, RegExp]>([
    [{}, /expert is missing: one of code, cold/],
    [{ expert: 'coed' }, /did you mean 'code'/],
    [{ expert: 'code', metric: 'queue' }, /none of work, requests, arrivals/],
    [{ expert: 'code', target: '0' }, /not a number above 0/],
    [{ expert: 'code', tokensPerSecond: 'many' }, /not a number above 0/],
  ])('refuses %j with what is wrong', async (metadata, why) => {
    await start(polite);
    for (const asked of [call('IsActive', of(metadata)), metric(metadata)])
      await expect(asked).rejects.toMatchObject({ code: 3, details: expect.stringMatching(why) });
  });

  it('counts work in flight and in the queue, and nothing once it is done', async () => {
    await start(held, ', max_concurrent: 2');
    const metadata = { expert: 'code', tokensPerSecond: '10' };
    expect(await active({ expert: 'code' })).toBe(false);
    expect((await metric(metadata)).metricValueFloat ?? 0).toBe(0);
    const answers = [ask(), ask(), ask()];
    await eventually('two run and one waits', async () =>
      /queued\{expert="code"\} 1/.test(await gateway.metrics()),
    );
    expect(await active({ expert: 'code' })).toBe(true);
    expect((await metric({ expert: 'code', metric: 'requests' })).metricValue).toBe(3);
    // Three requests of 100 tokens of answer and some of prompt, ten tokens a second.
    const { metricValue, metricValueFloat } = await metric(metadata);
    expect(metricValueFloat).toBeGreaterThan(30);
    expect(metricValue).toBe(Math.ceil(metricValueFloat!));
    const twice = await metric({ ...metadata, tokensPerSecond: '20' });
    expect(twice.metricValueFloat).toBeCloseTo(metricValueFloat! / 2, 1);
    let whole = false;
    void Promise.all(answers).then(() => {
      whole = true;
    });
    await eventually('all are answered', () => {
      release();
      return whole;
    });
    await eventually('nothing is left', async () => ((await metric(metadata)).metricValueFloat ?? 0) === 0);
  });

  it('wakes an expert for which prompts come, though another answers them', async () => {
    await start(polite);
    expect(await active({ expert: 'cold' })).toBe(false);
    await ask('Wie koche ich Risotto?');
    expect(await active({ expert: 'cold' })).toBe(true);
    expect((await metric({ expert: 'cold', metric: 'arrivals' })).metricValueFloat).toBeGreaterThan(0);
    expect(await active({ expert: 'code' })).toBe(false);
  });

  it('pushes at once what has changed', async () => {
    await start(polite);
    const { path, requestSerialize, responseDeserialize } = externalScalerService().StreamIsActive!;
    const pushed: boolean[] = [];
    const stream = client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      of({ expert: 'cold' }),
    );
    stream.on('error', () => {});
    stream.on('data', ({ result = false }: { result?: boolean }) => pushed.push(result));
    await eventually('the state is told', () => pushed.length === 1);
    await ask('Wie koche ich Risotto?');
    await eventually('the change is told', () => pushed.length === 2);
    expect(pushed).toEqual([false, true]);
    stream.cancel();
  });

  it('takes the triggers of docs/scale.md', async () => {
    await start(polite);
    const page = readFileSync('docs/scale.md', 'utf8');
    const [, yaml] = /```yaml\n([\s\S]*?)```/.exec(page)!;
    const { spec } = parse(yaml!) as { spec: { triggers: readonly { type: string; metadata: Metadata }[] } };
    expect(spec.triggers.map(({ type }) => type)).toEqual(['external-push', 'external', 'external']);
    for (const { metadata } of spec.triggers) {
      const { metricSpecs } = await call<{ metricSpecs: readonly { metricName: string }[] }>(
        'GetMetricSpec',
        of(metadata),
      );
      expect(metricSpecs[0]!.metricName).toBe(metadata.metric);
    }
  });

  it('says that a port is taken', async () => {
    await start(polite);
    const other = await createGateway(`experts: [{ id: a, kind: openai, url: '${server.url}' }]`, {
      probes: false,
    });
    await expect(other.listenScaler({ port: Number(new URL(url).port) })).rejects.toThrow(/is taken/);
    await expect(other.listenExtProc({ port: Number(new URL(url).port) })).rejects.toThrow(/is taken/);
    await other.close();
  });
});
