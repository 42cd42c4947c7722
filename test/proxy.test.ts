/** Experts behind an HTTP proxy: tunnels for https, absolute targets for http, credentials, and refusals. */
import { request as ask, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll, afterEach, expect, it } from 'vitest';
import { listen, requestOf, textOf } from '../src/serving/experts/expert.contract.tools.ts';
import { healthText } from '../src/serving/experts/expert.ts';
import { authority, text } from './support/certificates.ts';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { tritonDouble } from './support/triton-double.ts';
import { tritonExpert } from './support/triton-expert.ts';
import { polite, upstream } from './support/upstream.ts';

const made = authority();
if (made === null) console.warn('skipped: there is no openssl on this machine to make certificates with');
afterAll(() => made?.remove());

interface Seen {
  readonly how: string;
  readonly target: string;
  readonly authorization: string | undefined;
}

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

/** @param refusing the status line that it answers tunnels with; null for a tunnel */
async function proxy(refusing: string | null = null): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    seen.push({
      how: 'absolute',
      target: request.url!,
      authorization: request.headers['proxy-authorization'],
    });
    const { 'proxy-authorization': _own, ...headers } = request.headers;
    const onward = ask(request.url!, { method: request.method!, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  server.on('connect', (request, socket: Socket) => {
    seen.push({ how: 'tunnel', target: request.url!, authorization: request.headers['proxy-authorization'] });
    if (refusing !== null) return void socket.end(`HTTP/1.1 ${refusing}\r\ncontent-length: 0\r\n\r\n`);
    const onward = connect(Number(request.url!.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    for (const one of [socket, onward]) {
      sockets.add(one);
      one.on('error', () => {});
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      server.close();
    },
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

async function router(expert: string): Promise<RunningGateway> {
  const running = await gateway(
    `experts:\n  - { id: far, kind: openai, model: m, quirks: plain, ${expert} }\n`,
  );
  opened.push(running);
  return running;
}

const question = { model: 'far', messages: [{ role: 'user', content: 'Hi' }] };
const withKey = (url: string) => url.replace('//', '//us%40er:p%3Ass@');
const BASIC = `Basic ${Buffer.from('us@er:p:ss').toString('base64')}`;

it('asks an http server by absolute targets', async () => {
  const server = await upstream(polite);
  opened.push(server);
  const between = await proxy();
  const running = await router(`url: '${server.url}', proxy: '${withKey(between.url)}'`);
  const response = await running.post('/v1/chat/completions', question);
  expect(response.status, await response.text()).toBe(200);
  expect(between.seen).toContainEqual({
    how: 'absolute',
    target: `${server.url}/v1/chat/completions`,
    authorization: BASIC,
  });
  expect(server.requests.at(-1)!.headers).not.toHaveProperty('proxy-authorization');
});

it.skipIf(made === null)('reaches an https server through a tunnel, and checks its certificate', async () => {
  const { cert, key } = made!.issue('far');
  const requests: object[] = [];
  const secure = createTlsServer({ cert: text(cert), key: text(key) }, (request, response) => {
    requests.push(request.headers);
    request.resume();
    const message = { role: 'assistant', content: 'hello' };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }] }));
  });
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
  opened.push({
    close: () => {
      secure.closeAllConnections();
      secure.close();
    },
  });
  const server = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`;
  const { ca } = made!;
  const between = await proxy();
  const running = await router(`url: '${server}', ca: '${ca}', proxy: '${withKey(between.url)}'`);
  for (let n = 0; n < 2; n += 1) {
    const response = await running.post('/v1/chat/completions', question);
    expect(response.status, await response.text()).toBe(200);
  }
  expect(requests.every((headers) => !('proxy-authorization' in headers))).toBe(true);
  const tunnels = between.seen.filter(({ how }) => how === 'tunnel');
  expect(tunnels[0]).toEqual({
    how: 'tunnel',
    target: server.slice('https://'.length),
    authorization: BASIC,
  });
  const untrusting = await router(`url: '${server}', proxy: '${between.url}'`);
  const refused = await untrusting.post('/v1/chat/completions', question);
  expect([refused.status, await refused.text()]).toEqual([
    502,
    expect.stringMatching(/certificate|self.signed/i),
  ]);
});

it('tells what the proxy refused', async () => {
  const between = await proxy('407 Proxy Authentication Required');
  const running = await router(`url: 'https://far.example', proxy: '${between.url}'`);
  const response = await running.post('/v1/chat/completions', question);
  const text = await response.text();
  expect(response.status).toBe(502);
  expect(running.logged.join('\n') + text).toMatch(/answered 'HTTP\/1.1 407/);
});

it.each(['grpc', 'http'] as const)('stands before a Triton that is asked by %s', async (protocol) => {
  const triton = await tritonDouble({ steps: () => [{ outputs: { text_output: 'Blue.' } }, 'final'] });
  opened.push(triton);
  const between = await proxy();
  const expert = await tritonExpert(triton[protocol], { proxy: withKey(between.url), metrics_url: false });
  opened.push(expert);
  expect(await expert.health(AbortSignal.timeout(10_000))).toMatchObject({ state: 'ready' });
  const { host } = new URL(triton[protocol]);
  const how = protocol === 'grpc' ? 'tunnel' : 'absolute';
  expect(between.seen[0]).toMatchObject({ how, authorization: BASIC });
  expect(between.seen.every(({ target }) => target.includes(host))).toBe(true);
});

it.skipIf(made === null)(
  'tunnels to a Triton by gRPC with TLS, whose own certificate is checked',
  async () => {
    const { cert, key } = made!.issue('triton');
    const tls = { cert: text(cert), key: text(key) };
    const triton = await tritonDouble({ steps: () => [{ outputs: { text_output: 'Blue.' } }, 'final'], tls });
    opened.push(triton);
    const between = await proxy();
    const by = (more: object) =>
      tritonExpert(triton.grpc, { proxy: withKey(between.url), metrics_url: false, ...more });
    const expert = await by({ tls_ca: made!.ca });
    opened.push(expert);
    const { body } = await listen(expert, requestOf({ messages: [{ role: 'user', content: 'Hi' }] })).done;
    expect(textOf(body)).toBe('Blue.');
    const { host } = new URL(triton.grpc);
    expect(between.seen.length).toBeGreaterThan(0);
    for (const one of between.seen)
      expect(one).toEqual({ how: 'tunnel', target: host, authorization: BASIC });
    // The proxy sees nothing of it but bytes, and nobody who is not its authority vouches for the server.
    const untrusting = await by({});
    opened.push(untrusting);
    const health = await untrusting.health(AbortSignal.timeout(10_000));
    expect([health.state, healthText(health)]).toEqual([
      'down',
      expect.stringMatching(/certificate|self.signed/i),
    ]);
  },
);

it('of the environment stands before a Triton, unless its config says none', async () => {
  const triton = await tritonDouble({ steps: () => ['final'] });
  opened.push(triton);
  const between = await proxy();
  const logged: string[] = [];
  const log = (line: string) => void logged.push(line);
  const far = triton.grpc.replace('127.0.0.1', 'far.example');
  const deps = { environment: { HTTP_PROXY: between.url }, log };
  for (const options of [{}, { proxy: 'none' }]) opened.push(await tritonExpert(far, options, deps));
  expect(logged).toEqual([`Expert 'expert' is asked through the proxy ${new URL(between.url).host}.`]);
});
