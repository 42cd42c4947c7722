/**
 * The command-line agents themselves, not interactive, for a few turns: against an emulated expert, which calls the tools
 * that the prompt names, and against servers that speak their API and say what only they can read.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { gateway, type RunningGateway } from '../support/gateway.ts';
import { type Upstream, upstream } from '../support/upstream.ts';
import { describeClient, installed, worked } from './client.ts';

const CODEX = { client: 'codex', name: 'Codex CLI' };
const CLAUDE = { client: 'claude-code', name: 'Claude Code' };
const NOTE = 'a note that nobody knows: 4711';

// biome-ignore lint/suspicious/noExplicitAny: bodies of either API
type Any = any;

const sse = (events: readonly Any[]) =>
  events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');

/** Thinks and calls a tool in its first turn, and says what it saw in the next. */
const claudeApi = () =>
  upstream((response, { method, path, body }) => {
    if (method !== 'POST' || !path.startsWith('/v1/messages')) return void response.writeHead(404).end('{}');
    const { messages, tools = [] } = JSON.parse(body) as Any;
    const results = JSON.stringify(messages).includes('tool_result');
    const blocks =
      results || tools.length === 0
        ? [
            [
              { type: 'text', text: '' },
              { type: 'text_delta', text: 'Seen.' },
            ],
          ]
        : [
            [
              { type: 'thinking', thinking: '', signature: '' },
              { type: 'thinking_delta', thinking: THOUGHT.thinking },
              { type: 'signature_delta', signature: THOUGHT.signature },
            ],
            [
              { type: 'tool_use', id: 'toolu_1', name: 'Read', input: {} },
              {
                type: 'input_json_delta',
                partial_json: JSON.stringify({ file_path: join(folder, 'note.txt') }),
              },
            ],
          ];
    const usage = { input_tokens: 1, output_tokens: 1 };
    const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-opus', content: [] };
    response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': 'req_1' });
    response.end(
      sse([
        { type: 'message_start', message: { ...message, stop_reason: null, stop_sequence: null, usage } },
        ...blocks.flatMap(([content_block, ...deltas], index) => [
          { type: 'content_block_start', index, content_block },
          ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
          { type: 'content_block_stop', index },
        ]),
        {
          type: 'message_delta',
          delta: { stop_reason: blocks.length > 1 ? 'tool_use' : 'end_turn', stop_sequence: null },
          usage,
        },
        { type: 'message_stop' },
      ]),
    );
  });
const THOUGHT = { type: 'thinking', thinking: 'Hm \u00e9 \ud83c\udfd4 "quoted"', signature: 'c2lnbmVk+/==' };

/** The same in Responses, with reasoning that nobody else can read. */
const openAiApi = () =>
  upstream((response, { method, path, body }) => {
    if (method !== 'POST' || path !== '/v1/responses') return void response.writeHead(404).end('{}');
    const again = (JSON.parse(body) as Any).input.some(({ type }: Any) => type === 'function_call_output');
    const say = { type: 'message', role: 'assistant', status: 'completed', phase: 'final_answer' };
    const text = { type: 'output_text', text: 'Seen.', annotations: [], logprobs: [] };
    const call = { type: 'function_call', call_id: 'call_1', name: 'exec_command', status: 'completed' };
    const output = again
      ? [{ ...say, id: 'msg_1', content: [text] }]
      : [REASONING, { ...call, id: 'fc_1', arguments: JSON.stringify({ cmd: 'cat note.txt' }) }];
    const answer = { id: 'resp_1', object: 'response', status: 'completed', output, usage: USAGE };
    const items = output.flatMap((item, output_index) => [
      { type: 'response.output_item.added', output_index, item: { ...item, status: 'in_progress' } },
      { type: 'response.output_item.done', output_index, item },
    ]);
    const delta = { type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0 };
    const events = [
      { type: 'response.created', response: { ...answer, status: 'in_progress', output: [] } },
      ...(again ? [items[0], { ...delta, delta: 'Seen.' }, items[1]] : items),
      { type: 'response.completed', response: answer },
    ];
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(sse(events.map((event, sequence_number) => ({ ...event, sequence_number }))));
  });
const REASONING = { id: 'rs_1', type: 'reasoning', summary: [], encrypted_content: 'Z0FBQUFB+/\u00e9==' };
const USAGE = { input_tokens: 1, output_tokens: 1, total_tokens: 2 };

const folder = mkdtempSync(join(tmpdir(), 'expert-router-agents-'));
let router: RunningGateway;
let claude: Upstream;
let openAi: Upstream;

beforeAll(async () => {
  writeFileSync(join(folder, 'note.txt'), `${NOTE}\n`);
  [claude, openAi] = [await claudeApi(), await openAiApi()];
  router = await gateway(`
experts:
  - { id: emulated, kind: emulated }
  # Claude Code sends thinking back only where the answer names the model that it asked for.
  - { id: claude-opus, kind: anthropic, url: '${claude.url}', api_key: sk }
  - { id: gpt, kind: openai, url: '${openAi.url}', quirks: openai, model: gpt-x, api_key: sk }
aliases: { 'claude-*': emulated }
`);
});
afterAll(async () => {
  for (const one of [router, claude, openAi]) await one?.close();
});

function run(program: string, args: readonly string[], environment: Record<string, string>): Promise<string> {
  const child = spawn(installed('node', 'node_modules', '.bin', program), args, {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
  });
  let said = '';
  child.stdout.on('data', (text) => {
    said += text;
  });
  child.stderr.on('data', (text) => {
    said += text;
  });
  return new Promise((resolve, reject) => {
    child.on('close', (code) =>
      code === 0 ? resolve(said) : reject(new Error(`${program}: ${code}\n${said}`)),
    );
  });
}

const lines = (said: string): Any[] =>
  said.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
const versionOf = async (program: string) => /\d+\.\d+\.\d+/.exec(await run(program, ['--version'], {}))![0];

describeClient(CODEX, () => {
  const codex = (model: string, prompt: string) => {
    const home = join(folder, 'codex');
    mkdirSync(home, { recursive: true });
    const provider = `name = "Expert Router"\nbase_url = "${router.url}/v1"\nwire_api = "responses"`;
    const config = `model_provider = "router"\n[model_providers.router]\n${provider}\n`;
    writeFileSync(join(home, 'config.toml'), config);
    const args = ['exec', '--json', '--skip-git-repo-check', '-s', 'danger-full-access', '-m', model, prompt];
    return run('codex', args, { CODEX_HOME: home });
  };

  it('works through several steps with an emulated expert', async () => {
    const prompt = 'call exec_command {"cmd": "cat note.txt"}\ncall exec_command {"cmd": "echo done"}';
    const items = lines(await codex('emulated', prompt)).flatMap(({ type, item }) =>
      type === 'item.completed' ? [item] : [],
    );
    const commands = items.filter(({ type }) => type === 'command_execution');
    expect(commands.map((one) => one.aggregated_output)).toEqual([`${NOTE}\n`, 'done\n']);
    expect(items.at(-1)).toMatchObject({ type: 'agent_message', text: expect.stringContaining('done') });
    worked(CODEX, await versionOf('codex'), 'two commands one after another, translated for an expert');
  }, 180_000);

  it('gets its reasoning back byte for byte', async () => {
    const said = lines(await codex('gpt', 'What is in the note?'));
    expect(JSON.stringify(said)).toContain('Seen.');
    const input = JSON.parse(openAi.requests.at(-1)!.body).input as Any[];
    expect(input.find(({ type }) => type === 'reasoning').encrypted_content).toBe(
      REASONING.encrypted_content,
    );
    expect(JSON.stringify(input)).toContain(NOTE);
    worked(CODEX, await versionOf('codex'), 'reasoning items passed on and back byte for byte');
  }, 180_000);
});

describeClient(CLAUDE, () => {
  const code = (model: string, prompt: string) =>
    run(
      'claude',
      ['-p', prompt, '--allowedTools', 'Bash', 'Read', '--output-format', 'stream-json', '--verbose'],
      {
        ANTHROPIC_BASE_URL: router.url,
        ANTHROPIC_AUTH_TOKEN: 'none',
        ANTHROPIC_MODEL: model,
        ANTHROPIC_DEFAULT_HAIKU_MODEL: 'claude-emulated',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
      },
    );

  it('works through several steps with an emulated expert', async () => {
    const file = JSON.stringify({ file_path: join(folder, 'note.txt') });
    const prompt = `call Bash {"command": "cat note.txt", "description": "Show"}\ncall Read ${file}`;
    const said = lines(await code('claude-emulated', prompt));
    const results = said.filter(({ type }) => type === 'user').map(({ message }) => JSON.stringify(message));
    expect(results).toEqual([expect.stringContaining(NOTE), expect.stringContaining(NOTE)]);
    expect(said.at(-1)).toMatchObject({ subtype: 'success', num_turns: 3 });
    expect(said.at(-1).result).toContain(NOTE);
    worked(CLAUDE, await versionOf('claude'), 'two tools one after another, translated for an expert');
  }, 180_000);

  it('gets its thinking back byte for byte', async () => {
    const said = lines(await code('claude-opus', 'What is in the note?'));
    expect(said.at(-1)).toMatchObject({ subtype: 'success', result: 'Seen.' });
    const { messages } = JSON.parse(
      claude.requests.findLast(({ body }) => body.includes('tool_result'))!.body,
    );
    const thought = messages
      .flatMap(({ content }: Any) => (Array.isArray(content) ? content : []))
      .find(({ type }: Any) => type === 'thinking');
    expect(thought).toMatchObject(THOUGHT);
    expect(JSON.stringify(messages)).toContain(NOTE);
    worked(CLAUDE, await versionOf('claude'), 'thinking passed on and back byte for byte');
  }, 180_000);
});
