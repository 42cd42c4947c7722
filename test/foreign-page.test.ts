/** No web page from elsewhere uses a gateway that needs no key; programs and pages of this machine do. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { hashKey } from '../src/serving/front/auth.ts';
import { gateway, type RunningGateway } from './support/gateway.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

let running: (RunningGateway | Upstream)[] = [];
afterEach(async () => {
  await Promise.all(running.map((one) => one.close()));
  running = [];
});

async function start(more = ''): Promise<{ router: RunningGateway; expert: Upstream }> {
  const expert = await upstream(polite);
  const router = await gateway(`${more}\nexperts: [{ id: one, kind: openai, url: '${expert.url}' }]\n`);
  running.push(router, expert);
  return { router, expert };
}

const BODY = JSON.stringify({ messages: [{ role: 'user', content: 'hello' }] });

/** Sends one request as given, but for the length of its body, and returns the whole answer. */
async function send({ url }: RunningGateway, head: string, body = ''): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => {
    answer += data;
  });
  socket.write(`${head}\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  await once(socket, 'close');
  return answer;
}
const statusOf = (answer: string) => Number(answer.split(' ')[1]);
const CHAT = 'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n';
const KEYS = `keys: [{ name: a, hash: '${hashKey('er-a')}' }]`;

describe('without keys', () => {
  it.each([
    ['a simple form', `${CHAT}origin: http://evil.example\r\ncontent-type: text/plain`],
    ['a form', `${CHAT}origin: http://evil.example\r\ncontent-type: application/x-www-form-urlencoded`],
    [
      'a form with files',
      `${CHAT}origin: http://evil.example\r\ncontent-type: multipart/form-data; boundary=x`,
    ],
    ['a sandboxed page', `${CHAT}origin: null\r\ncontent-type: text/plain`],
    ['a page without its origin', `${CHAT}sec-fetch-site: cross-site\r\ncontent-type: text/plain`],
    ['one that waits for leave', `${CHAT}origin: http://evil.example\r\nexpect: 100-continue`],
    [
      'a rebound name',
      'POST /v1/chat/completions HTTP/1.1\r\nhost: evil.example:8080\r\norigin: http://evil.example:8080',
    ],
    ['a foreign absolute target', 'POST http://evil.example/v1/chat/completions HTTP/1.1\r\nhost: localhost'],
  ])('%s is refused without reaching an expert', async (_name, head) => {
    const { router, expert } = await start();
    const answer = await send(router, head, BODY);
    expect(answer).toContain('HTTP/1.1 403 Forbidden\r\n');
    expect(JSON.parse(answer.slice(answer.lastIndexOf('\r\n\r\n')))).toMatchObject({
      error: {
        type: 'invalid_request_error',
        code: expect.stringMatching(/^(host|origin)_not_allowed$/) as string,
        message: expect.stringMatching(/allowed_(hosts|origins) in the config/) as string,
      },
    });
    expect(expert.requests.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  it.each(['/v1/models', '/v1/experts', '/metrics', '/health', '/ready', '/nothing'])(
    'a rebound name and a foreign page learn nothing from %s',
    async (path) => {
      const { router } = await start();
      expect(statusOf(await send(router, `GET ${path} HTTP/1.1\r\nhost: evil.example`))).toBe(403);
      expect(
        statusOf(await send(router, `GET ${path} HTTP/1.1\r\nhost: localhost\r\nsec-fetch-site: cross-site`)),
      ).toBe(403);
      expect(
        statusOf(
          await send(
            router,
            `GET ${path} HTTP/1.1\r\nhost: localhost\r\norigin: http://evil.example\r\nupgrade: websocket`,
          ),
        ),
      ).toBe(403);
    },
  );

  it.each([
    ['a program', CHAT.trimEnd()],
    ['HTTP/1.0 without a host', 'POST /v1/chat/completions HTTP/1.0\r\naccept: */*'],
    ['an absolute target', 'POST http://localhost/v1/chat/completions HTTP/1.1\r\nhost: whatever'],
    ['a page of this machine', `${CHAT}origin: http://localhost:5173\r\nsec-fetch-site: same-site`],
  ])('%s is answered', async (_name, head) => {
    const { router } = await start();
    expect(statusOf(await send(router, head, BODY))).toBe(200);
  });

  it('what the config permits is answered', async () => {
    const { router } = await start('allowed_hosts: [router.lan]\nallowed_origins: [https://chat.example]');
    const head = 'POST /v1/chat/completions HTTP/1.1\r\nhost: Router.lan:8080';
    expect(statusOf(await send(router, head, BODY))).toBe(200);
    expect(statusOf(await send(router, `${head}\r\norigin: https://chat.example`, BODY))).toBe(200);
    expect(statusOf(await send(router, `${head}\r\norigin: https://evil.example`, BODY))).toBe(403);
  });

  it('a second Host line is refused', async () => {
    const { router } = await start();
    expect(statusOf(await send(router, 'GET /health HTTP/1.1\r\nhost: localhost\r\nhost: localhost'))).toBe(
      400,
    );
  });
});

describe('with keys', () => {
  it('a page from anywhere needs one, and with one is answered', async () => {
    const { router } = await start(KEYS);
    const head = 'POST /v1/chat/completions HTTP/1.1\r\nhost: router.example\r\norigin: https://chat.example';
    expect(statusOf(await send(router, head, BODY))).toBe(401);
    expect(statusOf(await send(router, `${head}\r\nauthorization: Bearer er-a`, BODY))).toBe(200);
  });
});
