/**
 * A server that speaks the Messages API as documented, strictly: what the API refuses it refuses too. It answers with
 * emulated text, or with what the last words of the user ask for (`[call tools]`, `[cut]`, …).
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { emulate, emulatedText, words } from '../../src/serving/experts/emulated/text.ts';

export interface MessagesApi {
  readonly url: string;
  /** Bodies of the requests so far, parsed. */
  readonly bodies: Body[];
  readonly headers: IncomingMessage['headers'][];
  /** Answers under way. */
  inUse(): number;
  close(): Promise<void>;
}

// biome-ignore lint/suspicious/noExplicitAny: requests of unknown shape are what this judges
export type Body = any;

const KEY = 'sk-test';

export async function messagesApi(): Promise<MessagesApi> {
  const bodies: Body[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const open = new Set<ServerResponse>();
  const server = createServer(async (request, response) => {
    open.add(response);
    response.on('close', () => open.delete(response));
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const key = request.headers['x-api-key'] ?? request.headers.authorization?.replace(/^Bearer /, '');
    const version = request.headers['anthropic-version'];
    if (key !== KEY) return refuse(response, 401, 'authentication_error', 'invalid x-api-key');
    if (typeof version !== 'string')
      return refuse(response, 400, 'invalid_request_error', 'anthropic-version: header is required');
    if (request.url!.startsWith('/v1/models')) return models(response);
    if (request.url !== '/v1/messages' || request.method !== 'POST')
      return refuse(response, 404, 'not_found_error', 'Not found');
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Body;
    bodies.push(body);
    headers.push(request.headers);
    const problem = problemOf(body, version);
    if (problem) return refuse(response, 400, 'invalid_request_error', problem);
    await answer(response, body).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies,
    headers,
    inUse: () => open.size,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function refuse(
  response: ServerResponse,
  status: number,
  type: string,
  message: string,
  more: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_1', ...more });
  response.end(JSON.stringify({ type: 'error', error: { type, message }, request_id: 'req_1' }));
}

function models(response: ServerResponse): void {
  const data = [
    { type: 'model', id: 'claude-test', display_name: 'Test', created_at: '2026-01-01T00:00:00Z' },
  ];
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ data, has_more: false, first_id: 'claude-test', last_id: 'claude-test' }));
}

const FIELDS = new Set(
  'model max_tokens messages system stop_sequences temperature top_p top_k tools tool_choice output_config stream metadata'.split(
    ' ',
  ),
);

/** What the API would object to, or null. */
function problemOf(body: Body, version: string): string | null {
  const extra = Object.keys(body).find((field) => !FIELDS.has(field));
  if (extra) return `${extra}: Extra inputs are not permitted`;
  if (!Number.isInteger(body.max_tokens) || body.max_tokens < 1) return 'max_tokens: Field required';
  if (typeof body.model !== 'string') return 'model: Field required';
  if (version >= '2026-10-21' && ['temperature', 'top_p', 'top_k'].some((field) => field in body))
    return 'temperature: not supported in this version';
  if (body.temperature > 1) return 'temperature: range: 0..1';
  if (body.stop_sequences?.some((stop: string) => stop.trim() === ''))
    return 'stop_sequences: each stop sequence must contain non-whitespace';
  if (!Array.isArray(body.messages) || body.messages.length === 0)
    return 'messages: at least one message is required';
  return (
    body.messages.map(turnProblem).find((problem: string | null) => problem !== null) ?? toolProblem(body)
  );
}

function turnProblem(turn: Body, index: number): string | null {
  const at = `messages.${index}`;
  if (turn.role !== 'user' && turn.role !== 'assistant') return `${at}.role: unexpected ${turn.role}`;
  if (turn.content.length === 0) return `${at}: all messages must have non-empty content`;
  const blocks = blocksOf(turn);
  if (blocks.some((block) => block.type === 'text' && block.text.trim() === ''))
    return 'messages: text content blocks must contain non-whitespace text';
  if (blocks.some((block) => block.type === 'tool_use' && turn.role === 'user'))
    return `${at}: tool_use blocks can only be in assistant messages`;
  if (blocks.some((block) => block.type === 'tool_use' && !/^[a-zA-Z0-9_-]+$/.test(block.id)))
    return `${at}: tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`;
  return null;
}

/** Every call is answered in the very next turn, before anything else in it, and nothing else is. */
function toolProblem(body: Body): string | null {
  if (body.tool_choice && !body.tools) return 'tool_choice: may only be specified while providing tools';
  for (const tool of body.tools ?? [])
    if (tool.input_schema?.type !== 'object') return 'tools: input_schema.type: Field required';
  let asked: string[] = [];
  for (const turn of body.messages) {
    const blocks = blocksOf(turn);
    const results = blocks.filter((block) => block.type === 'tool_result').map((block) => block.tool_use_id);
    if (asked.some((id) => !results.includes(id)) || results.some((id) => !asked.includes(id)))
      return '`tool_use` ids were found without `tool_result` blocks immediately after, or the reverse';
    if (blocks.slice(0, results.length).some((block) => block.type !== 'tool_result'))
      return 'tool_result blocks must come first';
    asked = blocks.filter((block) => block.type === 'tool_use').map((block) => block.id);
  }
  return null;
}

function blocksOf(turn: Body): Body[] {
  return typeof turn.content === 'string' ? [{ type: 'text', text: turn.content }] : turn.content;
}

interface Plan {
  readonly content: readonly Body[];
  readonly stopReason: string;
  readonly stopSequence: string | null;
  readonly tokens: number;
}

function planOf(body: Body, prompt: string): Plan {
  if (prompt.includes('[call tools]')) {
    const calls = body.tools.map((tool: Body, index: number) => ({
      type: 'tool_use',
      id: `toolu_${index}`,
      name: tool.name,
      input: tool.input_schema.properties ? { city: 'Zürich 🏔', index } : {},
    }));
    const content = [{ type: 'text', text: 'I shall look.' }, ...calls];
    return { content, stopReason: 'tool_use', stopSequence: null, tokens: 20 };
  }
  const said = emulate(emulatedText(body.model, prompt), body.max_tokens, body.stop_sequences ?? []);
  const text = said.pieces.join('');
  const whole = words(emulatedText(body.model, prompt)).length;
  const cut = said.finishReason === 'length';
  const stopped = !cut && said.tokens < whole;
  return {
    content: text ? [{ type: 'text', text }] : [],
    stopReason: prompt.includes('[refuse]')
      ? 'refusal'
      : cut
        ? 'max_tokens'
        : stopped
          ? 'stop_sequence'
          : 'end_turn',
    stopSequence: stopped ? body.stop_sequences[0] : null,
    tokens: said.tokens,
  };
}

async function answer(response: ServerResponse, body: Body): Promise<void> {
  const texts = body.messages
    .flatMap((turn: Body) => blocksOf(turn))
    .filter((block: Body) => block.type === 'text');
  const prompt: string = texts.at(-1)?.text ?? '';
  if (prompt.includes('[overloaded]')) return refuse(response, 529, 'overloaded_error', 'Overloaded');
  if (prompt.includes('[rate]'))
    return refuse(response, 429, 'rate_limit_error', 'This request would exceed your rate limit', {
      'retry-after': '7',
    });
  if (prompt.includes('[long]'))
    return refuse(
      response,
      400,
      'invalid_request_error',
      'prompt is too long: 300000 tokens > 200000 maximum',
    );
  const plan = planOf(body, prompt);
  const message = messageOf(body, plan, prompt);
  if (body.stream) await stream(response, plan, message, prompt);
  else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(message));
}

function messageOf(body: Body, plan: Plan, prompt: string): Body {
  return {
    id: `msg_${Math.random().toString(36).slice(2)}`,
    type: 'message',
    role: 'assistant',
    model: body.model,
    content: plan.content,
    stop_reason: plan.stopReason,
    stop_sequence: plan.stopSequence,
    usage: {
      input_tokens: words(prompt).length + 1,
      cache_creation_input_tokens: 3,
      cache_read_input_tokens: 5,
      output_tokens: plan.tokens,
    },
  };
}

async function stream(response: ServerResponse, plan: Plan, message: Body, prompt: string): Promise<void> {
  const send = (type: string, data: object): boolean =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  });
  if (prompt.includes('[early error]'))
    return void response.end(`event: error\ndata: ${JSON.stringify(OVERLOADED)}\n\n`);
  const begun = { ...message, content: [], stop_reason: null, stop_sequence: null };
  send('message_start', { message: { ...begun, usage: { ...message.usage, output_tokens: 1 } } });
  send('ping', {});
  for (const [index, block] of plan.content.entries()) {
    const empty = block.type === 'text' ? { type: 'text', text: '' } : { ...block, input: {} };
    send('content_block_start', { index, content_block: empty });
    for (const delta of deltasOf(block)) {
      await sleep(0.5);
      if (response.destroyed) return;
      if (!send('content_block_delta', { index, delta }))
        await new Promise<void>((resolve) => response.once('drain', resolve).once('close', resolve));
      if (breaksOff(response, prompt)) return;
    }
    send('content_block_stop', { index });
  }
  const delta = { stop_reason: message.stop_reason, stop_sequence: message.stop_sequence };
  send('message_delta', { delta, usage: { output_tokens: message.usage.output_tokens } });
  send('message_stop', {});
  response.end();
}

/** Ends the stream in the way the prompt asks for, if it does. */
function breaksOff(response: ServerResponse, prompt: string): boolean {
  if (prompt.includes('[cut]')) response.destroy();
  else if (prompt.includes('[ends]')) response.end();
  else if (prompt.includes('[late error]'))
    response.end(`event: error\ndata: ${JSON.stringify(OVERLOADED)}\n\n`);
  else return false;
  return true;
}

const OVERLOADED = {
  type: 'error',
  error: { type: 'overloaded_error', message: 'Overloaded' },
  request_id: 'req_1',
};

function deltasOf(block: Body): Body[] {
  if (block.type === 'text') return words(block.text).map((text) => ({ type: 'text_delta', text }));
  if (Object.keys(block.input).length === 0) return [];
  const json = JSON.stringify(block.input);
  const pieces = ['', json.slice(0, 7), json.slice(7)];
  return pieces.map((partial_json) => ({ type: 'input_json_delta', partial_json }));
}
