/**
 * Every named misbehaviour of an expert, through the whole gateway: what its client sees. Another expert is well, so
 * what can be saved is answered by it; what was already begun ends with an honest error.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmulatedServers, startEmulatedServers } from '../src/load/emulator/servers.ts';
import { simpleEngine } from '../src/load/emulator/simple-pacer.ts';
import { MISBEHAVIOURS } from '../src/serving/experts/emulated/misbehaviour.ts';
import { eventually, gateway } from './support/gateway.ts';
import { polite, type Upstream, upstream } from './support/upstream.ts';

type Name = keyof typeof MISBEHAVIOURS;
/**
 * `saved`: the other expert answers. `whole`: its own answer, complete. `filtered`: its refusal, passed on.
 * The others are the ends of streams that had begun: the code of an error event, or bytes passed on as they are.
 */
type Sight =
  | 'saved'
  | 'whole'
  | 'whole without [DONE]'
  | 'filtered'
  | 'expert_timeout'
  | 'expert_cut_stream'
  | 'engine_failed'
  | 'broken event';

const both = (sight: Sight) => ({ stream: sight, whole: sight });
const EXPECTED: Readonly<Record<Name, { readonly stream: Sight; readonly whole: Sight }>> = {
  refuse: both('saved'),
  '401': both('saved'),
  '429': both('saved'),
  '500': both('saved'),
  '503': both('saved'),
  'content-filter': both('filtered'),
  hang: both('saved'),
  'slow-first-token': both('saved'),
  stall: { stream: 'expert_timeout', whole: 'saved' },
  cut: { stream: 'expert_cut_stream', whole: 'saved' },
  'error-event': { stream: 'engine_failed', whole: 'saved' },
  'malformed-json': { stream: 'broken event', whole: 'saved' },
  'no-usage': both('whole'),
  'no-done': { stream: 'whole without [DONE]', whole: 'whole' },
  'wrong-content-type': both('saved'),
  'split-utf8': both('whole'),
  'byte-at-a-time': both('whole'),
  'close-idle': both('whole'),
  'close-reused': both('whole'),
  // It has said [DONE]: the loss of the connection takes nothing from it.
  'length-too-long': { stream: 'whole', whole: 'saved' },
  'length-too-short': { stream: 'expert_cut_stream', whole: 'saved' },
};
const PROMPT = 'Write a Python function that sorts a list';

let servers: EmulatedServers;
let other: Upstream;
beforeAll(async () => {
  servers = await startEmulatedServers({
    experts: 1,
    host: '127.0.0.1',
    port: 0,
    outputTokens: 12,
    seed: 1,
    created: 0,
    mishaps: [],
    engine: simpleEngine({
      firstTokenMs: 0,
      prefillPerSecond: 1e6,
      perTokenMs: { alone: 1, full: 1 },
      maxBatch: 100,
      kvTokens: 1e6,
    }),
  });
  other = await upstream(polite);
});
afterAll(async () => {
  await servers.close();
  await other.close();
});

const cases = Object.entries(EXPECTED).flatMap(([name, { stream, whole }]) => [
  { name, stream: true, sight: stream },
  { name, stream: false, sight: whole },
]);

describe('a client of an expert that misbehaves', () => {
  it('is tested for every misbehaviour', () => {
    expect(Object.keys(EXPECTED).sort()).toEqual(Object.keys(MISBEHAVIOURS).sort());
  });

  it.each(cases)('$name (stream: $stream): $sight', async ({ name, stream, sight }) => {
    const silence = name === 'hang' || name === 'slow-first-token' || name === 'stall';
    const limits = silence ? ', first_token_timeout: 1s, header_timeout: 1s, idle_timeout: 1s' : '';
    const router = await gateway(`
experts:
  - { id: code, kind: openai, url: 'http://127.0.0.1:${servers.servers[0]!.port}', model: 'emulate:${name}', samples: [${PROMPT}]${limits} }
  - { id: other, kind: openai, url: '${other.url}' }
`);
    try {
      // The second request meets whatever the first has left of the connection.
      for (let time = 0; time < 2; time++) {
        const response = await router.post('/v1/chat/completions', {
          model: 'auto',
          stream,
          messages: [{ role: 'user', content: PROMPT }],
        });
        const seen = { expert: response.headers.get('x-expert-router-expert'), text: await response.text() };
        const found = sightOf(response, seen.text, stream);
        // An error that comes in one packet with the first tokens is met before the client has seen any of them.
        const inTime = sight === 'engine_failed' && found === 'saved';
        if (!inTime) expect(found, seen.text).toBe(sight);
        expect(seen.expert).toBe(found === 'saved' ? 'other' : 'code');
      }
      await eventually(
        'nothing is left',
        async () =>
          (await router.metric('expert_router_inflight{expert="code"}')) === 0 &&
          (await router.metric('expert_router_inflight{expert="other"}')) === 0,
      );
    } finally {
      await router.close();
    }
  });
});

function sightOf(response: Response, text: string, stream: boolean): Sight | string {
  if (response.status === 400 && JSON.parse(text).error.code === 'content_filter') return 'filtered';
  if (response.status !== 200) return `status ${response.status}`;
  return stream ? streamSight(text) : wholeSight(text);
}

function wholeSight(text: string): Sight {
  const answer = JSON.parse(text).choices[0].message.content as string;
  return answer === 'I am other.' ? 'saved' : 'whole';
}

function streamSight(text: string): Sight | string {
  const events = text.split('\n\n').filter(Boolean);
  const failed = events.find((event) => event.startsWith('data: {"error"'));
  if (failed) return JSON.parse(failed.slice(6)).error.code;
  const last = events.at(-1)!;
  if (last !== 'data: [DONE]')
    return JSON.parse(last.slice(6)).choices[0]?.finish_reason ? 'whole without [DONE]' : 'no end';
  const parsed = events.slice(0, -1).map((event) => {
    try {
      return JSON.parse(event.slice(6));
    } catch {
      return null;
    }
  });
  if (parsed.includes(null)) return 'broken event';
  const answer = parsed.map((event) => event.choices[0]?.delta.content ?? '').join('');
  return answer === 'I am other.' ? 'saved' : 'whole';
}
