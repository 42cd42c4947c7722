/** The story of a request, as `why` and the dashboard tell it: one for each way that a request can go. */
import { mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import * as numbers from '../src/cli/plain-numbers.ts';
import { storyOf } from '../src/serving/board/story.ts';
import { englishStory } from '../src/serving/board/story-words.ts';
import type { Row } from '../src/serving/board/wire.ts';
import { hashKey } from '../src/serving/front/auth.ts';
import { eventually, gateway, type RunningGateway } from './support/gateway.ts';
import { type Answer, polite, type Upstream, upstream } from './support/upstream.ts';

let running: RunningGateway | null = null;
const experts: Upstream[] = [];
afterEach(async () => {
  await running?.close();
  running = null;
  await Promise.all(experts.splice(0).map((expert) => expert.close()));
});

const CODE = 'Why does my Python loop never end?';
const KEY = { authorization: 'Bearer mine' };
const key = (limits = ''): string =>
  `keys: [{ name: me, hash: '${hashKey('mine')}', roles: [ask, observe, operate]${limits} }]`;

/** `code` serves the prompt and answers as it is told, `other` politely. */
async function serve(
  answer: Answer,
  more = '',
  ofCode = '',
  ofOther = '',
  otherwise: Answer = polite,
): Promise<void> {
  const code = await upstream((response, request) =>
    request.method === 'GET' ? polite(response, request) : answer(response, request),
  );
  const other = await upstream((response, request) =>
    request.method === 'GET' ? polite(response, request) : otherwise(response, request),
  );
  experts.push(code, other);
  running = await gateway(`${more}
experts:
  - { id: code, kind: openai, url: '${code.url}/v1', description: Writes and explains programs${ofCode} }
  - { id: other, kind: openai, url: '${other.url}/v1', description: Everything else, fallback: true${ofOther} }
`);
}

/** @returns its trace id */
async function ask(body: object = {}, signal?: AbortSignal): Promise<string> {
  const response = await fetch(`${running!.url}/v1/chat/completions`, {
    method: 'POST',
    headers: KEY,
    body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: CODE }], ...body }),
    signal: signal ?? null,
  });
  await response.text().catch(() => '');
  return response.headers.get('x-expert-router-trace-id')!;
}

/** From its second sentence on, every time written as T and every number as N. */
async function storyOfTrace(trace: string): Promise<readonly string[]> {
  let rows: readonly Row[] = [];
  await eventually('the request is remembered and over', async () => {
    const response = await fetch(`${running!.url}/ui/api/trace/${trace}`, { headers: KEY });
    rows = response.ok ? ((await response.json()) as Row[]) : [];
    return rows.length > 0 && !rows[0]!.running;
  });
  const [came, ...story] = storyOf(rows[0]!, { words: englishStory, numbers });
  expect(came).toMatch(/^It came at \d\d:\d\d:\d\d to \/v1\/chat\/completions\./);
  return story.map((sentence) =>
    sentence
      .replaceAll(/\d[\d.,]* (?:ms|s|min)\b/g, 'T')
      .replaceAll(/\b\d+( %)?/g, (_, share) => `N${share ?? ''}`),
  );
}

const DECIDED =
  'Reading it and deciding took T. Its nearest topic is “python · write · code” (cluster N); the router is N % sure of that.';
const AT_HOME = `${DECIDED} The prompt lies in this topic, and code serves it.`;
const WAITED = /^It (?:did not wait in a queue|waited in a queue for T; no wait was expected)\.$/;
const AGAIN = /^So (?:after another wait of T )?other was asked, T after the request came\.$/;

const delayed =
  (ms: number): Answer =>
  (response, request) =>
    void setTimeout(() => polite(response, request), ms);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const chunk = (content: string): string =>
  `data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"${content}"}}]}\n\n`;

describe('the story of a request that', () => {
  it('was answered by the expert it belongs to', async () => {
    await serve(polite);
    expect(await storyOfTrace(await ask())).toEqual([
      AT_HOME,
      expect.stringMatching(WAITED),
      'code was asked T after the request came.',
      'The answer was complete after T.',
      'The expert read N tokens and wrote N. The config gives no price for code, so what it cost is not known.',
    ]);
  });

  it('was tried again, because the first expert answered with an error', async () => {
    await serve((response) => void response.writeHead(503).end('busy'));
    expect(await storyOfTrace(await ask())).toEqual([
      AT_HOME,
      expect.stringMatching(WAITED),
      'code was asked T after the request came.',
      'code failed T later: it said that it takes no requests now (expert_error, HTTP N).',
      expect.stringMatching(AGAIN),
      'The answer was complete after T.',
      expect.stringContaining('no price for other'),
    ]);
  });

  it('was tried again, at an expert where it had to wait: which is told, and that its conversation moved', async () => {
    let busy = false;
    await serve(
      (response, request) => (busy ? void response.writeHead(503).end('busy') : polite(response, request)),
      '',
      '',
      ', max_concurrent: 1',
      delayed(400),
    );
    const turns = [{ role: 'user', content: CODE }];
    await ask({ messages: turns });
    busy = true;
    const first = ask({ model: 'other' });
    await pause(100);
    const more = [
      ...turns,
      { role: 'assistant', content: 'Because.' },
      { role: 'user', content: 'And this loop?' },
    ];
    expect((await storyOfTrace(await ask({ messages: more }))).slice(3, 6)).toEqual([
      'code failed T later: it said that it takes no requests now (expert_error, HTTP N).',
      'So after another wait of T other was asked, T after the request came.',
      expect.stringMatching(/^With that its conversation moved from code, which has it cached, to other\./),
    ]);
    await first;
  });

  it('was tried again, because the first expert refused the key that the config gives it', async () => {
    await serve((response) => void response.writeHead(401).end('{"error":{"message":"bad key"}}'));
    expect(await storyOfTrace(await ask())).toContain(
      'code failed T later: it refused the key that the config gives it (expert_failed, HTTP N).',
    );
  });

  it('failed over, because the first expert broke the connection', async () => {
    await serve((response) => void response.destroy());
    expect(await storyOfTrace(await ask())).toEqual(
      expect.arrayContaining([
        'code failed T later: the expert could not be reached, or broke the connection before an answer (expert_unreachable).',
        expect.stringMatching(AGAIN),
      ]),
    );
  });

  it('the expert refused for a fault of its own', async () => {
    await serve((response) => void response.writeHead(400).end('{"error":{"message":"no"}}'));
    expect((await storyOfTrace(await ask())).slice(2)).toEqual([
      'code was asked T after the request came.',
      'code failed T later: the expert answered with an error (expert_error, HTTP N).',
      'The client was told that error, with the status N, after T.',
    ]);
  });

  it('was cut in the middle of its stream: what came first is told first', async () => {
    await serve((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk('Hi'));
      setTimeout(() => response.destroy(), 50);
    });
    expect((await storyOfTrace(await ask({ stream: true }))).slice(2)).toEqual([
      'code was asked T after the request came.',
      'The first token came after T.',
      'code failed T later: the answer broke off before its end (expert_cut_stream).',
      'With that it ended, T after it came.',
    ]);
  });

  it('was left by its client', async () => {
    let came = (): void => {};
    const asked = new Promise<void>((resolve) => {
      came = resolve;
    });
    await serve(() => came());
    const stop = new AbortController();
    const left = ask({}, stop.signal).catch(() => {});
    await asked;
    stop.abort();
    await left;
    const rows = async () =>
      (await (await fetch(`${running!.url}/ui/api/requests`, { headers: KEY })).json()) as Row[];
    await eventually('it is over', async () => (await rows())[0]?.running === false);
    const story = await storyOfTrace((await rows())[0]!.trace);
    expect(story.at(-1)).toBe('The client left after T, before the answer was complete.');
  });

  it('was refused by the limit of its key', async () => {
    await serve(polite, key(', limits: { requests_per_minute: 1 }'));
    await ask();
    expect(await storyOfTrace(await ask())).toEqual([
      'No expert was asked.',
      'It ended after T with an error: its API key had reached its rate limit (rate_limit_exceeded).',
    ]);
  });

  it('went elsewhere, because its own expert takes no requests', async () => {
    await serve(polite, key());
    await fetch(`${running!.url}/v1/experts/code/drain`, { method: 'POST', headers: KEY });
    expect((await storyOfTrace(await ask())).slice(0, 3)).toEqual([
      `${DECIDED} code suits it best, but took no requests then; of the others, other was the best choice.`,
      expect.stringMatching(WAITED),
      'other was asked T after the request came.',
    ]);
  });

  it('went elsewhere, because waiting would have cost more; and the next, by a policy that minds no fit', async () => {
    await serve(delayed(400), 'policy: { name: spill, seconds_per_affinity: 0.001 }', ', max_concurrent: 1');
    await ask(); // how long answers take
    const first = ask();
    await pause(100);
    expect((await storyOfTrace(await ask()))[0]).toBe(
      `${DECIDED} code suits it best, but waiting there would cost more than asking other, which suits it less.`,
    );
    await first;
    await running!.close();
    await serve(polite, 'policy: round-robin');
    const stories = [(await storyOfTrace(await ask()))[0], (await storyOfTrace(await ask()))[0]];
    expect(stories).toContain(
      `${DECIDED} code suits it best; the routing policy, which looks at how busy experts are, chose other.`,
    );
  });

  it('names its expert and waits for a place there', async () => {
    await serve(delayed(300), '', ', max_concurrent: 1');
    const first = ask({ model: 'code' });
    await pause(100);
    expect((await storyOfTrace(await ask({ model: 'code' }))).slice(0, 2)).toEqual([
      `${DECIDED} The request names code as its model.`,
      'It waited in a queue for T; no wait was expected.',
    ]);
    await first;
  });

  it('was hedged, and answered by the second', async () => {
    let slow = false;
    await serve((response, request) => {
      const answer = () => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(`${chunk('Hi')}data: [DONE]\n\n`);
      };
      if (slow) setTimeout(() => delayed(0)(response, request), 2_000);
      else answer();
    }, 'hedge: true');
    for (let i = 0; i < 25; i++) await ask({ stream: true });
    slow = true;
    expect((await storyOfTrace(await ask({ stream: true }))).slice(2, -1)).toEqual([
      'code was asked T after the request came.',
      'Because no token had come yet, other was asked as well, T after the request came.',
      'code had not answered by then and was stopped.',
      'The first token came after T.',
      'The answer was complete after T.',
    ]);
  });

  it('was not understood', async () => {
    await serve(polite);
    expect(await storyOfTrace(await ask({ model: 'nope' }))).toEqual([
      'No expert was asked.',
      'It ended after T with an error: it names a model that is not here (model_not_found).',
    ]);
  });

  it('was held until its expert had started', async () => {
    const code = await upstream(polite);
    experts.push(code);
    const folder = mkdtempSync(join(tmpdir(), 'why-'));
    const replicas = (...urls: readonly string[]): void => {
      writeFileSync(`${folder}/new`, JSON.stringify(urls));
      renameSync(`${folder}/new`, `${folder}/code.json`);
    };
    replicas();
    running = await gateway(
      `experts: [{ id: code, kind: openai, discover: { file: '${folder}/code.json' }, start_timeout: 30s }]`,
    );
    const held = ask();
    await eventually(
      'it waits',
      async () => (await running!.metric('expert_router_queued{expert="code"}')) === 1,
    );
    replicas(code.url);
    expect((await storyOfTrace(await held)).slice(1, 3)).toEqual([
      'No server of code was running: one had to be started first.',
      'It waited in a queue for T; T was expected.',
    ]);
  });
});
