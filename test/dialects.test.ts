/** Every dialect that clients may speak against every kind of expert: both lists are the product's own tables. */
import { afterAll, describe, expect, it } from 'vitest';
import { RouterError } from '../src/core/errors.ts';
import { anthropicMessages } from '../src/serving/dialects/anthropic-messages/index.ts';
import type { Dialect, TextDialect } from '../src/serving/dialects/dialect.ts';
import { DIALECTS, type DialectId } from '../src/serving/dialects/index.ts';
import { ollamaChat, ollamaGenerate } from '../src/serving/dialects/ollama/index.ts';
import { openAiResponses } from '../src/serving/dialects/openai-responses/index.ts';
import { type Heard, listen } from '../src/serving/experts/expert.contract.tools.ts';
import type { Expert } from '../src/serving/experts/expert.ts';
import { EXPERT_KINDS } from '../src/serving/experts/index.ts';
import type { ExpertDeps } from '../src/serving/experts/kind.ts';
import type { Reply } from '../src/serving/reply/reply.ts';
import { gateway } from './support/gateway.ts';
import { messagesApi } from './support/messages-api.ts';
import { tritonDouble } from './support/triton-double.ts';
import { tritonExpert } from './support/triton-expert.ts';

const QUESTION = 'Say a colour, and why.';

/** A question in each dialect; a dialect without one does not compile. */
const QUESTIONS: Readonly<Record<DialectId, object>> = {
  'openai-chat': { messages: [{ role: 'user', content: QUESTION }] },
  'openai-completions': { prompt: QUESTION },
  'openai-responses': { input: QUESTION },
  'openai-input-tokens': { input: QUESTION },
  'anthropic-messages': { messages: [{ role: 'user', content: QUESTION }] },
  'anthropic-count-tokens': { messages: [{ role: 'user', content: QUESTION }] },
  'openai-embeddings': { input: QUESTION },
  rerank: { query: QUESTION, documents: ['Blue.', QUESTION] },
  'ollama-chat': { messages: [{ role: 'user', content: QUESTION }] },
  'ollama-generate': { prompt: QUESTION },
  'ollama-embed': { input: QUESTION },
  'ollama-embeddings': { prompt: QUESTION },
};

const opened: { close(): Promise<void> }[] = [];
afterAll(async () => {
  for (const one of opened.reverse()) await one.close();
});

let ids = 0;
const DEPS: ExpertDeps = {
  cacheFolder: '/nowhere',
  environment: {},
  newId: (prefix) => `${prefix}-${++ids}`,
  now: () => 1_700_000_000_000,
  log: () => {},
};

function make(kind: string, options: object): Promise<Expert> {
  const found = EXPERT_KINDS.find((one) => one.kind === kind)!;
  return found.create('expert', found.options.parse(options), DEPS);
}

async function openAi(): Promise<Expert> {
  const server = await gateway('experts: [{ id: emulated, kind: emulated }]');
  opened.push(server);
  return make('openai', { url: server.url, model: 'emulated', quirks: 'plain' });
}

/** By kind; null where the machine may lack what it needs. */
const MAKERS: Readonly<Record<string, Readonly<Record<string, () => Promise<Expert>>> | null>> = {
  emulated: { emulated: () => make('emulated', {}) },
  openai: {
    'openai, relaying': openAi,
    'openai, translating': async () => Object.defineProperty(await openAi(), 'speaks', { value: [] }),
  },
  anthropic: {
    anthropic: async () => {
      const api = await messagesApi();
      opened.push(api);
      return make('anthropic', { url: api.url, model: 'claude-test', api_key: 'sk-test' });
    },
  },
  triton: {
    triton: async () => {
      const words = ['Blue, ', 'as the sky ', 'is.'].map((text) => ({ outputs: { text_output: text } }));
      const double = await tritonDouble({ steps: () => [...words, 'final'] });
      opened.push(double);
      return tritonExpert(double.http);
    },
  },
  llama: null,
};

for (const { kind } of EXPERT_KINDS) {
  const makers = MAKERS[kind];
  if (makers === null) {
    describe.skip(`${kind}: needs weights; its contract runs where they are`, () =>
      it('is skipped', () => {}));
    continue;
  }
  it(`${kind} has an expert here`, () => expect(makers).toBeDefined());
  for (const [name, maker] of Object.entries(makers ?? {})) {
    describe.each(DIALECTS.filter(isText).map((dialect) => [dialect.id, dialect] as const))(
      `${name}, asked in %s`,
      (_, dialect) => {
        it('answers the same text, streamed and whole, and both are whole to the dialect itself', async () => {
          const expert = await maker();
          opened.push(expert);
          const streamed = await ask(expert, dialect, true);
          const whole = await ask(expert, dialect, false);
          const { text, ended } = read(dialect, streamed.body);
          expect(text.length).toBeGreaterThan(5);
          expect(ended).toBe(true);
          expect(whole.body).toContain(JSON.stringify(text).slice(1, -1));
          expect(scan(dialect, true, streamed.body)).toMatchObject(['content', ending(dialect, streamed)]);
          expect(scan(dialect, false, whole.body)).toMatchObject(['silence', ending(dialect, whole)]);
        });

        it('tells a failure in the shape of the dialect', async () => {
          const expert = await maker();
          await expert.close();
          const { failure } = await ask(expert, dialect, true);
          expect(failure).toBeInstanceOf(RouterError);
          const { status, headers, body } = dialect.error(failure!);
          expect(dialect.refusal(status, headers, body)).toMatchObject({
            status: dialect === anthropicMessages ? 529 : 503,
            message: failure!.message,
            code: codeIn(dialect, failure!.code),
          });
          expect(dialect.scanner(true).push(dialect.streaming!.lateError(failure!))).toMatchObject({
            message: failure!.message,
          });
        });
      },
    );
  }
}

function ask(expert: Expert, dialect: TextDialect, stream: boolean): Promise<Heard> {
  const json = { ...QUESTIONS[dialect.id as DialectId], model: 'x', stream, max_tokens: 30 };
  const body = { bytes: Buffer.from(JSON.stringify(json)), json, partial: false };
  return listen(expert, { ask: dialect.ask(dialect.facts(json), body), headers: {}, traceId: 't' }).done;
}

/** Not the usage, of which clients are told less than the gateway. */
function ending(dialect: TextDialect, { outcome }: Heard): object {
  const { finishReason } = outcome!;
  // An answer that was not cut short is complete to these APIs, which know nothing in between.
  const complete =
    [openAiResponses, anthropicMessages, ollamaChat, ollamaGenerate].includes(dialect as never) &&
    finishReason === 'unknown';
  return { finishReason: complete ? 'stop' : finishReason };
}

/** Anthropic's word for it is another, and Ollama has none. */
function codeIn(dialect: TextDialect, code: string | null): string | null {
  if (dialect === anthropicMessages) return 'overloaded_error';
  return dialect.id.startsWith('ollama') ? null : code;
}

function read(dialect: TextDialect, body: string): { text: string; ended: boolean } {
  const pieces: string[] = [];
  const reply: Reply = {
    begin: () => {},
    text: (piece) => pieces.push(piece) > 0,
    thinking: () => true,
    toolCall: () => true,
    toolArguments: () => true,
    finish: () => {},
    fail: () => {},
  };
  const reader = dialect.reader(reply);
  for (const byte of Buffer.from(body))
    for (const room of reader.read(Buffer.of(byte))) expect(room).toBe(true);
  return { text: pieces.join(''), ended: reader.finish() };
}

function isText<Id extends string>(dialect: Dialect<Id>): dialect is TextDialect<Id> {
  return dialect.writer !== null;
}

function scan(dialect: TextDialect, stream: boolean, body: string): [unknown, unknown] {
  const scanner = dialect.scanner(stream);
  return [scanner.push(Buffer.from(body)), scanner.end()];
}
