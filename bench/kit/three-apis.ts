/** A server that gives the same canned answer in three APIs, a write for each token, as engines do. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type Api = 'chat' | 'responses' | 'messages';

export const PATHS: Readonly<Record<Api, string>> = {
  chat: '/v1/chat/completions',
  responses: '/v1/responses',
  messages: '/v1/messages',
};

const WORDS = [' the', ' relay', ' carries', ' tokens', ',', ' one'];
const word = (at: number): string => WORDS[at % WORDS.length]!;
const text = (tokens: number): string => Array.from({ length: tokens }, (_, at) => word(at)).join('');

const ID = '5f3a9d0c2b7e41e8a6d1c0ffee123456';
const named = (event: { readonly type: string }): string =>
  `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

interface Canned {
  readonly opening: string;
  token(at: number): string;
  end(tokens: number): string;
  whole(tokens: number): string;
}

const chunk = (delta: object, reason: string | null = null, more: object = {}): string =>
  `data: ${JSON.stringify({
    id: `chatcmpl-${ID}`,
    object: 'chat.completion.chunk',
    created: 1_790_000_000,
    model: 'Qwen/Qwen2.5-7B-Instruct',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
    ...more,
  })}\n\n`;
const item = (content: string, status: string) => ({
  id: `msg_${ID}`,
  type: 'message',
  role: 'assistant',
  status,
  content: content === '' ? [] : [{ type: 'output_text', text: content, annotations: [], logprobs: [] }],
});
const response = (status: string, tokens: number) => ({
  id: `resp_${ID}`,
  object: 'response',
  created_at: 1_790_000_000,
  status,
  model: 'Qwen/Qwen2.5-7B-Instruct',
  output: status === 'completed' ? [item(text(tokens), status)] : [],
  usage: { input_tokens: 40, output_tokens: tokens, total_tokens: 40 + tokens },
});
const message = (content: readonly object[], reason: string | null, tokens: number) => ({
  id: `msg_${ID}`,
  type: 'message',
  role: 'assistant',
  model: 'Qwen/Qwen2.5-7B-Instruct',
  content,
  stop_reason: reason,
  stop_sequence: null,
  usage: { input_tokens: 40, output_tokens: tokens },
});
const place = { item_id: `msg_${ID}`, output_index: 0, content_index: 0 };
const usage = (tokens: number) => ({
  prompt_tokens: 40,
  completion_tokens: tokens,
  total_tokens: 40 + tokens,
});

const CANNED: Readonly<Record<Api, Canned>> = {
  chat: {
    opening: chunk({ role: 'assistant', content: '' }),
    token: (at) => chunk({ content: word(at) }),
    end: (tokens) =>
      `${chunk({}, 'stop')}${chunk({}, null, { choices: [], usage: usage(tokens) })}data: [DONE]\n\n`,
    whole: (tokens) =>
      JSON.stringify({
        id: `chatcmpl-${ID}`,
        object: 'chat.completion',
        created: 1_790_000_000,
        model: 'Qwen/Qwen2.5-7B-Instruct',
        choices: [{ index: 0, message: { role: 'assistant', content: text(tokens) }, finish_reason: 'stop' }],
        usage: usage(tokens),
      }),
  },
  responses: {
    opening:
      named({ type: 'response.created', ...{ sequence_number: 0, response: response('in_progress', 0) } }) +
      named({ type: 'response.output_item.added', ...{ output_index: 0, item: item('', 'in_progress') } }),
    token: (at) =>
      named({
        type: 'response.output_text.delta',
        ...{ sequence_number: at + 2, ...place, delta: word(at), logprobs: [] },
      }),
    end: (tokens) => named({ type: 'response.completed', ...{ response: response('completed', tokens) } }),
    whole: (tokens) => JSON.stringify(response('completed', tokens)),
  },
  messages: {
    opening:
      named({ type: 'message_start', ...{ message: message([], null, 1) } }) +
      named({ type: 'content_block_start', ...{ index: 0, content_block: { type: 'text', text: '' } } }),
    token: (at) =>
      named({ type: 'content_block_delta', ...{ index: 0, delta: { type: 'text_delta', text: word(at) } } }),
    end: (tokens) =>
      named({ type: 'content_block_stop', ...{ index: 0 } }) +
      named({
        type: 'message_delta',
        ...{ delta: { stop_reason: 'end_turn' }, usage: { output_tokens: tokens } },
      }) +
      named({ type: 'message_stop' }),
    whole: (tokens) => JSON.stringify(message([{ type: 'text', text: text(tokens) }], 'end_turn', tokens)),
  },
};

export interface Pace {
  /** Of each answer. */
  readonly tokens: number;
  /** Milliseconds between two tokens of a stream. */
  readonly everyMs: number;
}

export async function threeApis(pace: Pace): Promise<{ readonly port: number; close(): void }> {
  const server = createServer(async (request, answer) => {
    const chunks: Buffer[] = [];
    for await (const piece of request) chunks.push(piece as Buffer);
    const api = (Object.keys(PATHS) as Api[]).find((one) => PATHS[one] === request.url);
    if (api === undefined) return void answer.writeHead(404).end('{}');
    const { stream } = JSON.parse(Buffer.concat(chunks).toString()) as { stream?: boolean };
    if (stream) await streamed(answer, CANNED[api], pace);
    else {
      const body = CANNED[api].whole(pace.tokens);
      answer.writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      });
      answer.end(body);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function streamed(answer: ServerResponse, canned: Canned, { tokens, everyMs }: Pace): Promise<void> {
  answer.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  answer.write(canned.opening);
  for (let at = 0; at < tokens && !answer.destroyed; at += 1) {
    await sleep(everyMs);
    answer.write(canned.token(at));
  }
  answer.end(canned.end(tokens));
}
