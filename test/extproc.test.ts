/** The external processor, message by message, with a double in Envoy's place. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGateway, type EmbeddedGateway } from '../src/index.ts';
import { hashKey } from '../src/serving/front/auth.ts';
import {
  applied,
  BUFFERED,
  type EnvoyDouble,
  envoyDouble,
  type HeadOptions,
  headerMap,
  isImmediate,
  isWhole,
  type Streaming,
  told,
} from './support/envoy-double.ts';
import { eventually } from './support/gateway.ts';
import { wireTo } from './support/wire.ts';

const CODE = 'Write a Python function that reverses a list';
const MATHS = 'Solve for x in 3x + 7 = 22';
/** Nobody is asked here: Envoy would be the one to ask. */
const EXPERTS = `
experts:
  - { id: code, kind: openai, url: ['http://10.0.0.1:8000', 'http://10.0.0.2:8000'], model: coder, samples: ['${CODE}'], api_key: sk-code, max_concurrent: 2, queue_size: 1 }
  - { id: maths, kind: openai, url: 'http://10.0.0.3:8000/api', model: maths-7b, samples: ['${MATHS}'] }
`;
const body = (text: string, more: object = {}): string =>
  JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: text }], ...more });

let gateway: EmbeddedGateway;
let envoy: EnvoyDouble;
let address = '';
const logged: string[] = [];

async function start(yaml: string = EXPERTS): Promise<void> {
  gateway = await createGateway(yaml, { probes: false, log: (line) => void logged.push(line) });
  address = await gateway.listenExtProc({ port: 0 });
  envoy = envoyDouble(address);
}

beforeEach(() => {
  logged.length = 0;
});

afterEach(async () => {
  envoy.close();
  await gateway.close({ graceMs: 0 });
  expect(logged.filter((line) => line.includes('internal error'))).toEqual([]);
});

async function inFlight(expert = 'code'): Promise<number> {
  const line = new RegExp(`^expert_router_inflight\\{expert="${expert}"\\} (\\d+)$`, 'm');
  return Number(line.exec(await gateway.metrics())![1]);
}

/** A whole request in full duplex, and the processor's answer to it. */
async function asked(text: string, options: HeadOptions & { readonly more?: object } = {}, from = envoy) {
  const stream = from.stream();
  stream.head(options);
  stream.body(body(text, options.more));
  return { stream, messages: await stream.until(isWhole) };
}

async function refused(options: HeadOptions, bytes: string | Buffer | null = body(CODE)) {
  const stream = envoy.stream();
  stream.head(options);
  if (bytes !== null) stream.body(bytes);
  const [message] = (await stream.until(isImmediate)).slice(-1);
  return told(message!);
}

const answers = (stream: Streaming, status: string, headers: Record<string, string> = {}, details?: string) =>
  stream.send({
    response_headers: { headers: headerMap({ ':status': status, ...headers }) },
    ...(details
      ? {
          attributes: {
            'envoy.filters.http.ext_proc': { fields: { 'response.code_details': { stringValue: details } } },
          },
        }
      : {}),
  });

describe('a request in full duplex', () => {
  it('gets its expert, its model, and its replicas in order', async () => {
    await start();
    const { messages, stream } = await asked(CODE);
    const change = applied(messages);
    expect(change.set).toMatchObject({
      'x-selected-model': 'code',
      'x-gateway-model-name': 'coder',
      authorization: 'Bearer sk-code',
      'x-expert-router-hops': '1',
    });
    expect(change.clears).toBe(true);
    expect(change.body).toBe(body(CODE).replace('"auto"', '"coder"'));
    expect(change.set['x-gateway-destination-endpoint']!.split(',').sort()).toEqual([
      '10.0.0.1:8000',
      '10.0.0.2:8000',
    ]);
    const named = messages[0]!.dynamic_metadata!.fields!['envoy.lb']!.structValue!.fields!;
    expect(named['x-gateway-destination-endpoint']!.stringValue).toBe(
      change.set['x-gateway-destination-endpoint'],
    );
    expect(new Set(change.appends)).toEqual(new Set([false]));
    stream.close();
  });

  it('goes where the dry run says', async () => {
    await start();
    for (const text of [CODE, MATHS, 'Fix this SQL query', 'What is the integral of x^2?', 'a poem']) {
      const { stream, messages } = await asked(text);
      const { expert } = await gateway.route(body(text));
      expect(applied(messages).set['x-selected-model']).toBe(expert);
      stream.close();
    }
  });

  it('goes to the path of its server where that is another', async () => {
    await start();
    const { stream, messages } = await asked(MATHS);
    expect(applied(messages).set[':path']).toBe('/api/chat/completions');
    stream.close();
    const other = await asked(CODE);
    expect(applied(other.messages).set[':path']).toBeUndefined();
    other.stream.close();
  });

  it('passes in pieces that Envoy takes, whatever the size, and changes nothing else', async () => {
    await start();
    const long = body(CODE, { padding: 'ä"\\'.repeat(60_000), big: '12345678901234567890' }).replace(
      '"12345678901234567890"',
      '12345678901234567890',
    );
    const stream = envoy.stream();
    stream.head();
    const bytes = Buffer.from(long);
    for (let at = 0; at < bytes.length; at += 40_001) stream.body(bytes.subarray(at, at + 40_001), false);
    stream.send({ request_body: { end_of_stream: true } });
    const change = applied(await stream.until(isWhole));
    expect(change.pieces.length).toBeGreaterThan(4);
    expect(Math.max(...change.pieces.map((piece) => piece.length))).toBeLessThanOrEqual(62_000);
    expect(change.body).toBe(long.replace('"auto"', '"coder"'));
    stream.close();
  });

  it('may end with trailers, which then end it', async () => {
    await start();
    const stream = envoy.stream();
    stream.head();
    stream.body(body(CODE), false);
    stream.send({ request_trailers: {} });
    const messages = await stream.until(isWhole);
    expect(messages.at(-1)!.request_trailers).toBeDefined();
    expect(messages.some(({ request_body: one }) => one && isWhole({ request_body: one }))).toBe(false);
    expect(applied(messages).set['x-selected-model']).toBe('code');
    stream.close();
  });

  it('speaks for completions as well', async () => {
    await start();
    const stream = envoy.stream();
    stream.head({ path: '/v1/completions?x=1' });
    stream.body(JSON.stringify({ prompt: MATHS }));
    const change = applied(await stream.until(isWhole));
    expect(change.set).toMatchObject({ 'x-selected-model': 'maths', ':path': '/api/completions' });
    expect(JSON.parse(change.body)).toEqual({ model: 'maths-7b', prompt: MATHS });
    stream.close();
  });
});

describe('a request that Envoy buffers', () => {
  it('is answered head first, then whole', async () => {
    await start();
    const stream = envoy.stream();
    stream.head({ mode: BUFFERED });
    const first = await stream.next();
    expect(first.request_headers!.response.header_mutation ?? null).toBeNull();
    stream.body(body(CODE));
    const change = applied([await stream.next()]);
    const sent = body(CODE).replace('"auto"', '"coder"');
    expect(change.body).toBe(sent);
    expect(change.set).toMatchObject({
      'x-selected-model': 'code',
      'content-length': String(Buffer.byteLength(sent)),
    });
    expect(change.clears).toBe(true);
    stream.close();
  });
});

describe('headers', () => {
  it('of ours that a client sends do not pass, nor its credentials, nor what no expert is to see', async () => {
    await start();
    const forged = {
      'x-selected-model': 'maths',
      'x-gateway-model-name': 'other',
      'x-gateway-destination-endpoint': '169.254.169.254:80',
      'x-gateway-base-model-name': 'other',
      cookie: 'session=1',
      'x-api-key': 'of-the-client',
      'x-internal-role': 'admin',
    };
    const { stream, messages } = await asked(CODE, {
      headers: { ...forged, accept: '*/*', 'user-agent': 'me' },
    });
    const change = applied(messages);
    for (const name of Object.keys(forged)) expect(change.removed).toContain(name);
    for (const name of ['accept', 'user-agent', ':method', ':path'])
      expect(change.removed).not.toContain(name);
    expect(change.set['x-selected-model']).toBe('code');
    expect(change.set['x-gateway-destination-endpoint']).not.toContain('169.254');
    stream.close();
  });

  it('have the names of the config, and name no replica where somebody else picks them', async () => {
    await start(`extproc: { expert_headers: [x-route], model_headers: [], endpoints: false }\n${EXPERTS}`);
    const { stream, messages } = await asked(CODE, { headers: { 'x-route': 'maths' } });
    const { set, removed } = applied(messages);
    expect(set['x-route']).toBe('code');
    expect(set['x-gateway-model-name']).toBeUndefined();
    expect(set['x-gateway-destination-endpoint']).toBeUndefined();
    expect(messages[0]!.dynamic_metadata ?? null).toBeNull();
    expect(removed).toContain('x-gateway-destination-endpoint');
    stream.close();
  });

  it('choose the expert where the client may', async () => {
    await start();
    const { stream, messages } = await asked(CODE, { headers: { 'x-expert-router-expert': 'maths' } });
    expect(applied(messages).set['x-selected-model']).toBe('maths');
    stream.close();
  });

  it('of the answer say who gave it and why, and hide what the expert says of itself', async () => {
    await start();
    const { stream } = await asked(CODE);
    const headers = {
      'content-type': 'text/event-stream',
      'x-pod': 'code-0',
      'x-expert-router-expert': 'me',
    };
    answers(stream, '200', headers);
    const { header_mutation: mutation } = (await stream.next()).response_headers!.response;
    const set = Object.fromEntries(
      mutation!.set_headers.map(({ header }) => [header.key, String(header.raw_value)]),
    );
    expect(set).toMatchObject({
      'x-expert-router-expert': 'code',
      'x-expert-router-reason': 'nearest-cluster',
      'x-expert-router-tries': '1',
      'x-expert-router-cluster': expect.stringMatching(/^\d+$/),
      'x-expert-router-trace-id': expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(mutation!.remove_headers).toContain('x-pod');
    expect(mutation!.remove_headers).not.toContain('content-type');
    stream.close();
  });
});

describe('a refusal', () => {
  const KEYED = `keys: [{ name: me, hash: '${hashKey('key')}' }]\nmax_body_mb: 0.001\n${EXPERTS}`;
  const key = { authorization: 'Bearer key' };

  it.each<[string, HeadOptions, string | null, number, string]>([
    ['no JSON', { headers: key }, '{"messages"', 400, 'invalid_json'],
    ['no messages', { headers: key }, '{}', 400, 'invalid_body'],
    ['an empty body', { headers: key, last: true }, null, 400, 'invalid_json'],
    [
      'a compressed body',
      { headers: { ...key, 'content-encoding': 'gzip' } },
      null,
      415,
      'unsupported_media_type',
    ],
    [
      'a length over the limit',
      { headers: { ...key, 'content-length': '1100' } },
      null,
      413,
      'body_too_large',
    ],
    ['bytes over the limit', { headers: key }, 'x'.repeat(1100), 413, 'body_too_large'],
    ['no key', {}, null, 401, 'invalid_api_key'],
    ['another key', { headers: { authorization: 'Bearer other' } }, null, 401, 'invalid_api_key'],
    ['another path', { headers: key, path: '/admin' }, null, 404, 'not_found'],
    ['another method', { headers: key, method: 'PUT' }, null, 405, 'method_not_allowed'],
    ['an unknown expert', { headers: key }, body(CODE, { model: 'nobody' }), 404, 'model_not_found'],
    ['a ring of routers', { headers: { ...key, 'x-expert-router-hops': '4' } }, null, 400, 'request_loop'],
    ['a mode that shows no body', { headers: key, mode: 0 }, null, 500, 'internal_error'],
  ])('for %s comes in the client’s dialect', async (_what, options, bytes, status, code) => {
    await start(KEYED);
    logged.length = 0;
    const answer = await refused(options, bytes);
    expect(answer).toMatchObject({
      status,
      json: { error: { code, message: expect.stringMatching(/.{10}/) } },
    });
    expect(answer.headers['content-type']).toContain('application/json');
    expect(answer.headers['x-expert-router-trace-id']).toMatch(/^[0-9a-f]{32}$/);
    if (status === 401) expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  it('has the shape of the API that the client speaks', async () => {
    await start();
    const stream = envoy.stream();
    stream.head({ path: '/v1/messages' });
    stream.body('{"max_tokens": 5');
    const [message] = (await stream.until(isImmediate)).slice(-1);
    expect(told(message!)).toMatchObject({
      status: 400,
      json: { type: 'error', error: { type: 'invalid_request_error' } },
    });
  });

  it('comes from nobody’s web page', async () => {
    await start();
    expect(await refused({ headers: { origin: 'https://evil.example' } }, null)).toMatchObject({
      status: 403,
      json: { error: { code: 'origin_not_allowed' } },
    });
  });

  it('says when to come again, where there is no room', async () => {
    await start(EXPERTS.replace('queue_size: 1', 'queue_size: 0'));
    const held = await Promise.all(Array.from({ length: 4 }, () => asked(CODE, { more: { model: 'code' } })));
    const answer = await refused({}, body(CODE, { model: 'code' }));
    expect(answer).toMatchObject({ status: 429, json: { error: { code: 'overloaded' } } });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    for (const { stream } of held) stream.close();
  });

  it('comes for an expert that Envoy cannot ask, and for a gateway without any other', async () => {
    await start(`${EXPERTS}  - { id: here, kind: emulated }\n`);
    expect(await refused({}, body(CODE, { model: 'here' }))).toMatchObject({
      status: 400,
      json: { error: { code: 'invalid_request', message: expect.stringContaining("'here'") } },
    });
    const alone = await createGateway('experts: [{ id: here, kind: emulated }]', { probes: false });
    await expect(alone.listenExtProc({ port: 0 })).rejects.toThrow(/Envoy can ask none/);
    await alone.close();
  });

  it('comes by itself where a body or a slot takes too long, since Envoy would wait for ever', async () => {
    await start(`extproc: { deadline: 200ms }\n${EXPERTS}`);
    const stream = envoy.stream();
    stream.head();
    stream.body('{', false);
    const [late] = await stream.until(isImmediate);
    expect(told(late!)).toMatchObject({ status: 400, json: { error: { code: 'invalid_request' } } });
    const held = await Promise.all(Array.from({ length: 4 }, () => asked(CODE, { more: { model: 'code' } })));
    const waited = await refused({}, body(CODE, { model: 'code' }));
    expect(waited).toMatchObject({ status: 503, json: { error: { code: 'queue_timeout' } } });
    for (const one of held) one.stream.close();
  });
});

describe('a lease', () => {
  it('invariant 1: lasts from the decision to the end of the stream, whoever ends it', async () => {
    await start();
    const endings: ((stream: Streaming) => void)[] = [
      (stream) => stream.close(),
      (stream) => stream.cancel(),
      (stream) => {
        answers(stream, '200');
        stream.close();
      },
      (stream) => {
        answers(stream, '503', {}, 'upstream_reset_before_response_started{connection_failure}');
        stream.close();
      },
    ];
    for (const end of endings) {
      const { stream } = await asked(CODE);
      expect(await inFlight()).toBe(1);
      end(stream);
      await eventually('it is given back', async () => (await inFlight()) === 0);
    }
  });

  it('is given back when Envoy is gone', async () => {
    await start();
    const wire = await wireTo(address);
    const far = envoyDouble(wire.address);
    await Promise.all([asked(CODE, {}, far), asked(CODE, {}, far), asked(CODE, {}, far)]);
    expect(await inFlight()).toBe(3);
    wire.cut();
    await eventually('all are given back', async () => (await inFlight()) === 0);
  });

  it('is counted with those of the HTTP front, and waited for', async () => {
    await start();
    const options = { more: { model: 'code' } };
    const held = await Promise.all(Array.from({ length: 4 }, () => asked(CODE, options)));
    const waiting = asked(CODE, options);
    await eventually('one waits', async () =>
      /expert_router_queued\{expert="code"\} 1/.test(await gateway.metrics()),
    );
    held[0]!.stream.close();
    const { stream, messages } = await waiting;
    expect(applied(messages).set['x-selected-model']).toBe('code');
    for (const one of [...held, { stream }]) one.stream.close();
  });

  it('is not taken for a client that left before its turn', async () => {
    await start();
    const options = { more: { model: 'code' } };
    const held = await Promise.all(Array.from({ length: 4 }, () => asked(CODE, options)));
    const stream = envoy.stream();
    stream.head();
    stream.body(body(CODE, { model: 'code' }));
    await eventually('it waits', async () => /queued\{expert="code"\} 1/.test(await gateway.metrics()));
    stream.close();
    await eventually('it has left', async () => /queued\{expert="code"\} 0/.test(await gateway.metrics()));
    for (const one of held) one.stream.close();
    await eventually('all are given back', async () => (await inFlight()) === 0);
  });

  it('is had at the next of the ranking where the first has no room', async () => {
    await start(EXPERTS.replace('queue_size: 1', 'queue_size: 0'));
    const held = await Promise.all(Array.from({ length: 4 }, () => asked(CODE, { more: { model: 'code' } })));
    const { stream, messages } = await asked(CODE);
    expect(applied(messages).set['x-selected-model']).toBe('maths');
    for (const one of [...held, { stream }]) one.stream.close();
  });

  it('teaches which replicas answer: nobody is sent to one that cannot be reached', async () => {
    await start();
    const dead = '10.0.0.1:8000';
    for (let round = 0; round < 40; round += 1) {
      const { stream, messages } = await asked(`${CODE} ${round}`, { more: { model: 'code' } });
      const first = applied(messages).set['x-gateway-destination-endpoint']!.split(',')[0];
      if (first === dead)
        answers(stream, '503', {}, 'upstream_reset_before_response_started{connection_failure}');
      else answers(stream, '200', {}, 'via_upstream');
      await stream.next();
      stream.close();
      await eventually('it is given back', async () => (await inFlight()) === 0);
    }
    const { stream, messages } = await asked(CODE, { more: { model: 'code' } });
    expect(applied(messages).set['x-gateway-destination-endpoint']).toBe('10.0.0.2:8000');
    stream.close();
  });
});

describe('an endpoint hint', () => {
  it('is kept to, and refused where no replica is in it', async () => {
    await start();
    for (const only of ['10.0.0.1:8000', '10.0.0.2:8000']) {
      const { stream, messages } = await asked(CODE, { hint: [only, '10.9.9.9:1'] });
      expect(applied(messages).set['x-gateway-destination-endpoint']).toBe(only);
      stream.close();
    }
    expect(await refused({ hint: ['10.9.9.9:1'] })).toMatchObject({ status: 503 });
  });
});

describe('the rest of the protocol', () => {
  it('lists the models', async () => {
    await start();
    const stream = envoy.stream();
    stream.head({ method: 'GET', path: '/v1/models', last: true });
    const { status, json } = told(await stream.next());
    expect(status).toBe(200);
    expect(json.data.map(({ id }) => id)).toEqual(['auto', 'code', 'maths']);
  });

  it('gives back the pieces of an answer that it is shown against its wish', async () => {
    await start();
    const stream = envoy.stream();
    stream.send({
      request_headers: {
        headers: headerMap({ ':method': 'POST', ':path': '/v1/chat/completions', ':authority': 'localhost' }),
      },
      protocol_config: { request_body_mode: 4, response_body_mode: 4 },
    });
    stream.body(body(CODE));
    await stream.until(isWhole);
    answers(stream, '200');
    await stream.next();
    stream.send({ response_body: { body: Buffer.from('token'), end_of_stream: true } });
    const { body_mutation: mutation } = (await stream.next()).response_body!.response;
    expect(mutation).toMatchObject({
      streamed_response: { body: Buffer.from('token'), end_of_stream: true },
    });
    stream.send({ response_trailers: {} });
    expect((await stream.next()).response_trailers).toBeDefined();
    stream.close();
  });

  it('answers for its health by the names that gateways use, and ends without cutting anything', async () => {
    await start();
    for (const name of ['', 'liveness', 'readiness', 'envoy.service.ext_proc.v3.ExternalProcessor'])
      expect(await envoy.health(name)).toBe(1);
    await expect(envoy.health('other')).rejects.toMatchObject({ code: 5 });
    const { stream } = await asked(CODE);
    answers(stream, '200');
    await stream.next();
    const closing = gateway.close({ graceMs: 100 });
    expect(await stream.ended).toBe(0);
    await closing;
  });

  it('is not ready while no expert is', async () => {
    await start(EXPERTS.replaceAll(/http:\/\/10\.0\.0\.\d:8000/g, 'http://127.0.0.1:1'));
    for (let failure = 0; failure < 20; failure += 1) {
      for (const model of ['code', 'maths']) {
        const stream = envoy.stream();
        stream.head();
        stream.body(body(CODE, { model }));
        const [message] = (await stream.until(isWhole)).slice(-1);
        if (!isImmediate(message!)) {
          answers(stream, '503', {}, 'no_healthy_upstream');
          await stream.next();
        }
        stream.close();
      }
    }
    await eventually('it says so', async () => (await envoy.health('readiness')) === 2);
    expect(await envoy.health('liveness')).toBe(1);
  });
});

describe('a key with limits', () => {
  const key = { authorization: 'Bearer limited' };
  const limited = (
    fields: string,
  ) => `${EXPERTS.replaceAll('model: coder,', 'model: coder, price: { input: 1, output: 1000 },')}
keys:
  - { name: limited, hash: '${hashKey('limited')}', ${fields} }
`;
  /** The answer's head as Envoy shows it, and what we say to it. */
  async function answered(stream: Streaming, headers: Record<string, string> = {}, status = '200') {
    answers(stream, status, { 'content-type': 'application/json', ...headers });
    const { response_headers: told, mode_override: shown } = await stream.next();
    const set = told!.response.header_mutation!.set_headers ?? [];
    const all = set.map(({ header }) => [header.key, header.raw_value.toString('latin1')] as const);
    return {
      headers: Object.fromEntries(all),
      removed: told!.response.header_mutation!.remove_headers,
      shown,
    };
  }
  const piece = async (stream: Streaming, text: string, last = false) => {
    stream.send({ response_body: { body: Buffer.from(text), end_of_stream: last } });
    expect(await stream.next()).toMatchObject({ response_body: {} });
  };
  const WHOLE = JSON.stringify({
    choices: [{ message: { role: 'assistant', content: 'yes' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 10, completion_tokens: 90, total_tokens: 100 },
  });

  it('is charged what the answer says that it took, and told what is left', async () => {
    await start(limited('limits: { tokens_per_minute: 1000, requests_per_minute: 10 }'));
    const { stream } = await asked(CODE, { headers: key, more: { max_tokens: 200 } });
    const { headers, removed, shown } = await answered(stream, { 'x-ratelimit-remaining-tokens': '7' });
    expect(shown).toMatchObject({ response_body_mode: 1, response_trailer_mode: 1 });
    expect(headers).toMatchObject({
      'x-ratelimit-limit-tokens': '1000',
      'x-ratelimit-remaining-requests': '9',
    });
    expect(Number(headers['x-ratelimit-remaining-tokens'])).toBeLessThan(801);
    expect(removed).toContain('x-ratelimit-remaining-tokens');
    await piece(stream, WHOLE.slice(0, 20));
    await piece(stream, WHOLE.slice(20), true);
    stream.close();
    await stream.ended;
    const next = await asked(CODE, { headers: key, more: { max_tokens: 1 } });
    const { headers: later } = await answered(next.stream);
    // A hundred were used, of which some have come back; the prompt of this one is held.
    expect(Number(later['x-ratelimit-remaining-tokens'])).toBeGreaterThan(870 - 30);
    expect(Number(later['x-ratelimit-remaining-tokens'])).toBeLessThan(905);
    next.stream.close();
  });

  it('is charged the pieces of a stream that its client leaves, and what was expected where nothing is shown', async () => {
    await start(limited('limits: { usd_per_day: 0.3 }'));
    const more = { max_tokens: 100, stream: true };
    const left = await asked(CODE, { headers: key, more });
    expect((await answered(left.stream, { 'content-type': 'text/event-stream' })).shown).toBeDefined();
    for (let n = 0; n < 50; n++)
      await piece(left.stream, 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n');
    left.stream.cancel();
    await eventually('the lease is back', async () => (await inFlight()) === 0);
    // Fifty pieces, and a hundred tokens that nobody has shown: the third hundred is too much.
    const unseen = await asked(CODE, { headers: key, more });
    await answered(unseen.stream, { 'content-type': 'text/event-stream' });
    unseen.stream.close();
    await unseen.stream.ended;
    const third = await asked(CODE, { headers: key, more });
    const fourth = await refused({ headers: key }, body(CODE, more));
    expect(fourth).toMatchObject({ status: 429, json: { error: { code: 'insufficient_quota' } } });
    third.stream.close();
  });

  it('holds its place until the request ends, and pays nothing for one that fails', async () => {
    await start(limited('limits: { concurrent: 1, usd_per_day: 0.15 }'));
    const more = { max_tokens: 100 };
    const { stream } = await asked(CODE, { headers: key, more });
    const second = await refused({ headers: key }, body(CODE, more));
    expect(second).toMatchObject({ status: 429, json: { error: { code: 'rate_limit_exceeded' } } });
    expect(Number(second.headers['retry-after'])).toBeGreaterThan(0);
    expect((await answered(stream, {}, '500')).shown).toBeFalsy();
    stream.close();
    await stream.ended;
    // Had the failed one been paid for, this would be more than the day's.
    const again = await asked(CODE, { headers: key, more });
    again.stream.cancel();
    await eventually('the lease is back', async () => (await inFlight()) === 0);
  });

  it('gets no expert and no model that it may not use, nor one without a price where it has a budget', async () => {
    await start(limited('experts: [maths], models: [auto, code]'));
    const { messages, stream } = await asked(CODE, { headers: key });
    expect(applied(messages).set['x-selected-model']).toBe('maths');
    stream.close();
    for (const model of ['maths', 'code'])
      expect(await refused({ headers: key }, body(CODE, { model }))).toMatchObject({
        status: 403,
        json: { error: { code: 'model_not_allowed' } },
      });
    envoy.close();
    await gateway.close({ graceMs: 0 });
    await start(limited('limits: { usd_per_day: 5 }'));
    const priced = await asked(MATHS, { headers: key });
    expect(applied(priced.messages).set['x-selected-model']).toBe('code');
    priced.stream.close();
  });

  it('leaves the answers of others to Envoy', async () => {
    await start(limited('roles: [ask]'));
    const { stream } = await asked(CODE, { headers: key });
    expect((await answered(stream)).shown).toBeFalsy();
    stream.close();
  });
});
