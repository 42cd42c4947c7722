/** Ollama's API for text and for vectors. Answers are streamed as JSON lines unless a request says otherwise. */
import type { ReplyMeta } from '../../reply/reply.ts';
import type { Scanner } from '../../reply/scanner.ts';
import { conversationKey, toolLoop } from '../conversation-key.ts';
import type { Dialect, Json, TextDialect } from '../dialect.ts';
import { forwardBody } from '../forward.ts';
import { openAiEmbeddings } from '../openai/embeddings.ts';
import { refusal } from '../openai/errors.ts';
import { withoutHalfSurrogates } from '../surrogates.ts';
import { WholeAsk, wholeFacts, wholeScanner } from '../whole.ts';
import { OllamaAsk } from './ask.ts';
import { embeddingsBody, firstInput, writeVector, writeVectors } from './embed.ts';
import { LINES, writeError } from './errors.ts';
import { chatTurns, generateTurns, ollamaFacts, spokenIn } from './facts.ts';
import { writeIdle } from './idle.ts';
import { OllamaReader } from './reader.ts';
import { ollamaScanner } from './scanner.ts';
import { ollamaWriter } from './writer.ts';

const COMMON = {
  idPrefix: 'ollama',
  prepare: withoutHalfSurrogates,
  refusal,
  error: writeError,
};

const TEXT = {
  ...COMMON,
  claims: () => false,
  forward: (ask: unknown, server: Parameters<typeof forwardBody>[1]) =>
    forwardBody((ask as OllamaAsk).received, server),
  reader: (reply: ConstructorParameters<typeof OllamaReader>[0]) => new OllamaReader(reply),
  scanner: ollamaScanner,
  streaming: LINES,
  idle: (ask: unknown, meta: ReplyMeta) => writeIdle(ask as OllamaAsk, meta),
} as const;

export const ollamaChat: TextDialect<'ollama-chat'> = {
  ...TEXT,
  id: 'ollama-chat',
  paths: ['/api/chat'],
  facts: (json) => {
    const spoken = spokenIn(json);
    return {
      ...ollamaFacts(json),
      turns: chatTurns(spoken),
      affinityKey: conversationKey(spoken),
      toolLoop: toolLoop(json.tools, spoken.at(-1)?.role === 'tool'),
    };
  },
  keep: (json) => ({ ...kept(json), messages: [] }),
  ask: (facts, body) => new OllamaAsk(ollamaChat, 'chat', facts, body),
  writer: (ask, sink) => ollamaWriter(ask as OllamaAsk, sink),
};

export const ollamaGenerate: TextDialect<'ollama-generate'> = {
  ...TEXT,
  id: 'ollama-generate',
  paths: ['/api/generate'],
  facts: (json) => ({
    ...ollamaFacts(json),
    turns: generateTurns(json),
    affinityKey: null,
    toolLoop: 'none',
  }),
  keep: (json) => ({ ...kept(json), prompt: '' }),
  ask: (facts, body) => new OllamaAsk(ollamaGenerate, 'generate', facts, body),
  writer: (ask, sink) => ollamaWriter(ask as OllamaAsk, sink),
};

export const ollamaEmbed: Dialect<'ollama-embed'> = vectors({
  id: 'ollama-embed',
  path: '/api/embed',
  field: 'input',
  scanner: () => wholeScanner('embeddings', 'prompt_eval_count'),
  rewritten: writeVectors,
});

/** Of before Ollama 0.3: one text, one vector. */
export const ollamaEmbeddings: Dialect<'ollama-embeddings'> = vectors({
  id: 'ollama-embeddings',
  path: '/api/embeddings',
  field: 'prompt',
  scanner: () => wholeScanner('embedding'),
  rewritten: writeVector,
});

interface Vectors<Id> {
  readonly id: Id;
  readonly path: string;
  readonly field: 'input' | 'prompt';
  scanner(): Scanner;
  /** OpenAI's answer → Ollama's. */
  rewritten(body: Buffer): Buffer;
}

/** Whoever does not speak it is asked in OpenAI's words, which every server of vectors speaks. */
function vectors<Id extends string>({ id, path, field, scanner, rewritten }: Vectors<Id>): Dialect<Id> {
  const asked = { ...openAiEmbeddings, error: writeError, rewritten };
  const own: Dialect<Id> = {
    ...openAiEmbeddings,
    ...COMMON,
    id,
    paths: [path],
    claims: () => false,
    scanner,
    // All of it: what others are sent is written anew.
    keep: (json) => json,
    facts: (json) => wholeFacts(json, firstInput(json, field)),
    ask: (facts, body) => {
      const bytes = embeddingsBody(body.json, field);
      const otherwise = new WholeAsk(asked, facts, { bytes, json: {}, partial: false });
      return new WholeAsk(own, facts, body, otherwise);
    },
  };
  return own;
}

function kept({ options, stream }: Json): Json {
  return { ...(options === undefined ? {} : { options }), ...(stream === undefined ? {} : { stream }) };
}
