/** Requests of OpenAI's against the bodies the Messages API takes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RouterError } from '../../../core/errors.ts';
import type { ChatBody, CompletionBody } from '../../dialects/openai/bodies.ts';
import { askOf } from '../expert.contract.tools.ts';
import { type MessagesSettings, messagesRequest } from './request.ts';
import { conversationOf } from './turns.ts';

const SETTINGS: MessagesSettings = { model: 'claude', maxTokens: 100, sampling: 'drop' };
const translate = (json: object) =>
  messagesRequest(askOf({ messages: [{ role: 'user', content: 'x' }], ...json } as ChatBody), SETTINGS);
const readConversation = (messages: unknown) => conversationOf(askOf({ messages } as ChatBody).prompt());
const user = (content: unknown) => ({ role: 'user', content });
const PNG = 'data:image/png;base64,iVBORw0KGgo=';

describe('a conversation', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1 }).map((words) => `${words}.`);
  const message = fc.record({
    role: fc.constantFrom('system', 'developer', 'user', 'assistant'),
    content: text,
  });

  it('keeps every text in its order, in turns that alternate', () => {
    fc.assert(
      fc.property(fc.array(message), text, (messages, last) => {
        const { system, turns } = readConversation([...messages, user(last)]);
        const isSystem = ({ role }: { role: string }) => role === 'system' || role === 'developer';
        const contents = (list: readonly { content: string }[]) => list.map((one) => one.content);
        expect(system ?? '').toBe(contents(messages.filter(isSystem)).join('\n\n'));
        expect(turns.flatMap((turn) => turn.content.map((block) => 'text' in block && block.text))).toEqual([
          ...contents(messages.filter((one) => !isSystem(one))),
          last,
        ]);
        expect(turns.every((turn, i) => turn.role !== turns[i - 1]?.role)).toBe(true);
      }),
    );
  });

  it('leaves blank text out, for the API refuses it', () => {
    const { turns } = readConversation([
      user('a'),
      { role: 'assistant', content: '' },
      user(' \n'),
      user('b'),
    ]);
    expect(turns).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
    ]);
  });

  it('carries images as bytes or addresses', () => {
    const url = 'https://example.org/a.png';
    const parts = [PNG, url].map((address) => ({ type: 'image_url', image_url: { url: address } }));
    expect(readConversation([user(parts)]).turns[0]!.content).toEqual([
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } },
      { type: 'image', source: { type: 'url', url } },
    ]);
  });

  it('carries tool calls and results, with ids the API takes', () => {
    const calls = ['call.a:0', 'b'].map((id) => ({
      id,
      type: 'function',
      function: { name: 'f', arguments: '{"x":1}' },
    }));
    const { turns } = readConversation([
      user('go'),
      { role: 'assistant', content: 'calling', tool_calls: calls },
      { role: 'tool', tool_call_id: 'call.a:0', content: 'one' },
      { role: 'tool', tool_call_id: 'b', content: '' },
      user('and?'),
    ]);
    expect(turns.slice(1)).toEqual([
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'calling' },
          { type: 'tool_use', id: 'call_a_0', name: 'f', input: { x: 1 } },
          { type: 'tool_use', id: 'b', name: 'f', input: { x: 1 } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'call_a_0', content: [{ type: 'text', text: 'one' }] },
          { type: 'tool_result', tool_use_id: 'b' },
          { type: 'text', text: 'and?' },
        ],
      },
    ]);
  });

  const called = (json: unknown) => ({
    role: 'assistant',
    tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: json } }],
  });
  it.each<[string, unknown[]]>([
    ['messages[1].role', [user('x'), { role: 'critic', content: 'x' }]],
    ['messages[1]', [user('x'), { role: 'function', name: 'f', content: 'x' }]],
    ['messages[0].content[0]', [user([{ type: 'input_audio', input_audio: {} }])]],
    [
      'messages[0].content[0].image_url.url',
      [user([{ type: 'image_url', image_url: { url: 'data:image/tiff;base64,AA' } }])],
    ],
    [
      'messages[0].content[0].image_url.url',
      [user([{ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }])],
    ],
    [
      'messages[0].content[0]',
      [{ role: 'system', content: [{ type: 'image_url', image_url: { url: PNG } }] }],
    ],
    ['messages[1].tool_calls[0].function.arguments', [user('x'), called('{"half')]],
    ['messages[1].tool_calls[0].function.arguments', [user('x'), called('[1]')]],
    [
      'messages[1].tool_calls[0]',
      [user('x'), { role: 'assistant', tool_calls: [{ id: 'a', type: 'custom' }] }],
    ],
    ['messages[0].tool_call_id', [{ role: 'tool', content: 'x' }]],
    ['messages', [{ role: 'system', content: 'only' }]],
  ])('refuses what has no counterpart, naming %s', (param, messages) => {
    expect(() => readConversation(messages)).toThrow(expect.objectContaining({ param }));
    expect(() => readConversation(messages)).toThrow(RouterError);
  });
});

describe('parameters', () => {
  it('maps limits, stops and the format of the answer', () => {
    const schema = { type: 'object', properties: {} };
    const { body, blankStops } = translate({
      max_completion_tokens: 7,
      max_tokens: 9,
      stop: ['END', '\n', ''],
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
    });
    expect(body).toMatchObject({
      max_tokens: 7,
      stop_sequences: ['END'],
      output_config: { format: { type: 'json_schema', schema } },
    });
    expect(blankStops).toEqual(['\n']);
    expect(translate({}).body).toEqual({
      model: 'claude',
      max_tokens: 100,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }],
      stream: true,
    });
  });

  it('drops what only leans the choice of words, and fields it does not know', () => {
    const dropped = {
      seed: 1,
      temperature: 2,
      presence_penalty: 1,
      frequency_penalty: 1,
      user: 'u',
      store: true,
      top_k: 3,
    };
    expect(translate({ ...dropped, brand_new: {} })).toEqual(translate({}));
  });

  it('asks for an effort in its own words, of models that know one', () => {
    const effort = (reasoning_effort: string, sampling: 'drop' | 'send' = 'drop') =>
      messagesRequest(askOf({ messages: [user('x')], reasoning_effort } as ChatBody), {
        ...SETTINGS,
        sampling,
      }).body.output_config;
    expect(effort('high')).toEqual({ effort: 'high' });
    expect(effort('minimal')).toEqual({ effort: 'low' });
    expect(effort('none')).toBeUndefined();
    expect(effort('high', 'send')).toBeUndefined();
  });

  it('a completion is one question', () => {
    const request = askOf({ prompt: 'One, two,', max_tokens: 3 } as CompletionBody);
    expect(messagesRequest(request, SETTINGS).body.messages).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'One, two,' }] },
    ]);
  });

  const tool = {
    type: 'function',
    function: { name: 'f', description: 'd', strict: true, parameters: { properties: {} } },
  };
  it.each([
    [{ tools: [tool] }, undefined],
    [{ tools: [tool], tool_choice: 'auto' }, undefined],
    [{ tools: [tool], tool_choice: 'none' }, { type: 'none' }],
    [{ tools: [tool], tool_choice: 'required' }, { type: 'any' }],
    [
      { tools: [tool], tool_choice: { type: 'function', function: { name: 'f' } } },
      { type: 'tool', name: 'f' },
    ],
    [
      { tools: [tool], parallel_tool_calls: false },
      { type: 'auto', disable_parallel_tool_use: true },
    ],
  ])('%j chooses %j', (json, choice) => {
    const { body } = translate(json);
    expect(body.tool_choice).toEqual(choice);
    expect(body.tools).toEqual([
      { name: 'f', description: 'd', strict: true, input_schema: { type: 'object', properties: {} } },
    ]);
  });

  it.each([
    ['n', { n: 2 }],
    ['logprobs', { logprobs: true }],
    ['logit_bias', { logit_bias: { 5: 1 } }],
    ['response_format', { response_format: { type: 'json_object' } }],
    ['tools[0].custom.name', { tools: [{ type: 'custom', custom: {} }] }],
    ['tools[0]', { tools: [{ type: 'web_search' }] }],
    ['tool_choice', { tools: [tool], tool_choice: { type: 'web_search' } }],
    ['functions[0]', { functions: [{}], function_call: 'auto' }],
    ['temperature', { temperature: 3 }],
  ])('refuses %s', (param, json) => {
    expect(() => translate(json)).toThrow(expect.objectContaining({ param }));
  });
});
