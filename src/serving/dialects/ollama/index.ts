/** Ollama's API for text and for vectors. Answers are streamed as JSON lines unless a request says otherwise. */
import { conversationKey, toolLoop } from '../conversation-key.ts';
import type { Dialect, Json, TextDialect } from '../dialect.ts';
import { forwardBody } from '../forward.ts';
import { openAiEmbeddings } from '../openai/embeddings.ts';
import { refusal } from '../openai/errors.ts';
import { withoutHalfSurrogates } from '../surrogates.ts';
import { WholeAsk, wholeFacts } from '../whole.ts';
import { OllamaAsk } from './ask.ts';
import { embeddingsBody, firstInput, writeVector, writeVectors } from './embed.ts';
import { LINES, writeError } from './errors.ts';
import { chatTurns, generateTurns, ollamaFacts, spokenIn } from './facts.ts';
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

/** Asked of experts as OpenAI's embeddings, which every server of vectors speaks. */
export const ollamaEmbed: Dialect<'ollama-embed'> = vectors(
  'ollama-embed',
  '/api/embed',
  'input',
  writeVectors,
);

/** Of before Ollama 0.3: one text, one vector. */
export const ollamaEmbeddings: Dialect<'ollama-embeddings'> = vectors(
  'ollama-embeddings',
  '/api/embeddings',
  'prompt',
  writeVector,
);

function vectors<Id extends string>(
  id: Id,
  path: string,
  field: 'input' | 'prompt',
  rewritten: (body: Buffer) => Buffer,
): Dialect<Id> {
  return {
    ...openAiEmbeddings,
    ...COMMON,
    id,
    paths: [path],
    claims: () => false,
    // All of it: what experts are sent is written anew.
    keep: (json) => json,
    facts: (json) => wholeFacts(json, firstInput(json, field)),
    ask: (facts, { json }) => {
      const bytes = embeddingsBody(json, field);
      const asked = { ...openAiEmbeddings, error: writeError, rewritten };
      return new WholeAsk(asked, facts, { bytes, json: {}, partial: false });
    },
  };
}

function kept({ options, stream }: Json): Json {
  return { ...(options === undefined ? {} : { options }), ...(stream === undefined ? {} : { stream }) };
}
