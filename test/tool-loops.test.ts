/** A model that calls tools goes on with their results, whatever the load says meanwhile, and whoever else calls. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateway, type RunningGateway } from './support/gateway.ts';

const TOOLS = {
  chat: [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }],
  messages: [{ name: 'look', input_schema: { type: 'object' } }],
  responses: [{ type: 'function', name: 'look', parameters: { type: 'object' } }],
};
const QUESTION = 'call look {}';

let router: RunningGateway;
beforeAll(async () => {
  // Round robin: whoever answered last is not asked next.
  const experts = ['a', 'b', 'c'].map((id) => `{ id: ${id}, kind: emulated }`).join(', ');
  router = await gateway(`policy: round-robin\nexperts: [${experts}]`);
});
afterAll(() => router.close());

/** Asks until tools have answered `rounds` times. @returns who answered each time */
async function loop(
  path: string,
  body: (said: string) => object,
  result: (answer: never) => object,
  headers: Record<string, string> = {},
) {
  const first = await router.post(path, body(''), headers);
  const by = [first.headers.get('x-expert-router-expert')];
  let said = result((await first.json()) as never);
  for (let round = 0; round < 3; round += 1) {
    const next = await router.post(path, body(JSON.stringify(said)), headers);
    by.push(next.headers.get('x-expert-router-expert'));
    await next.json();
    said = { ...said };
  }
  return by;
}

const parse = (said: string) => (said === '' ? [] : (JSON.parse(said) as { all: object[] }).all);

// biome-ignore lint/suspicious/noExplicitAny: three shapes of answers
type Any = any;
const CASES: readonly [string, string, (said: string) => object, (answer: Any) => object][] = [
  [
    'chat completions',
    '/v1/chat/completions',
    (said) => ({
      model: 'auto',
      messages: [{ role: 'user', content: QUESTION }, ...parse(said)],
      tools: TOOLS.chat,
    }),
    ({ choices: [{ message }] }) => ({
      all: [message, { role: 'tool', tool_call_id: message.tool_calls[0].id, content: 'seen' }],
    }),
  ],
  [
    'Messages',
    '/v1/messages',
    (said) => ({
      ...{ model: 'auto', max_tokens: 99, tools: TOOLS.messages },
      messages: [{ role: 'user', content: QUESTION }, ...parse(said)],
    }),
    ({ content }) => ({
      all: [
        { role: 'assistant', content },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: content[0].id, content: 'seen' }] },
      ],
    }),
  ],
  [
    'Responses',
    '/v1/responses',
    (said) => ({
      model: 'auto',
      input: [{ role: 'user', content: QUESTION }, ...parse(said)],
      tools: TOOLS.responses,
    }),
    ({ output }) => ({
      all: [...output, { type: 'function_call_output', call_id: output[0].call_id, output: 'seen' }],
    }),
  ],
];

describe.each(CASES)('in %s', (_, path, body, result) => {
  it('the expert that called goes on with the results', async () => {
    const by = await loop(path, body, result);
    expect(new Set(by).size).toBe(1);
  });

  it('in another session the same words are another conversation', async () => {
    const one = await loop(path, body, result, { 'x-session-id': 'one' });
    const two = await loop(path, body, result, { 'x-session-id': 'two' });
    expect(one[0]).not.toBe(two[0]);
    const back = await router.post(path, body(JSON.stringify({ all: [] })), { 'x-session-id': 'one' });
    // A new question of a person's is chosen for anew.
    expect(back.headers.get('x-expert-router-expert')).not.toBe(one[0]);
  });
});

it('the dry run tells who goes on', async () => {
  const [, path, body, result] = CASES[0]!;
  const first = await router.post(path, body(''));
  const said = result((await first.json()) as never);
  const dry = await router.post('/v1/route', body(JSON.stringify(said)));
  expect(dry.headers.get('x-expert-router-expert')).toBe(first.headers.get('x-expert-router-expert'));
  expect(dry.headers.get('x-expert-router-reason')).toBe('conversation');
});
