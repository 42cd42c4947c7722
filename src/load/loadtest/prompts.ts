/** The requests of a load test: prompts from a corpus, or generated to a given length. */
import { UserError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { OutgoingRequest } from '../../http/client.ts';
import { type ClusterShares, drawCluster } from '../../simulating/workload/clusters.ts';
import { drawLengths, type LengthModel } from '../../simulating/workload/lengths.ts';
import { MOONCAKE_BLOCK_TOKENS, type TracedRequest } from '../../simulating/workload/traces.ts';
import { topicText, wordsOfBlock } from './topics.ts';

export interface Prompt {
  /** OpenAI's messages. */
  readonly messages: readonly object[];
  readonly maxTokens: number | null;
}

/** Yields the next prompt; `traced` gives its lengths when a trace is replayed. */
export type PromptSource = (traced?: TracedRequest) => Prompt;

export interface RequestOptions {
  readonly path: string;
  readonly model: string;
  readonly key: string | null;
  readonly stream: boolean;
  /** Sets vLLM's `ignore_eos`, so that answers have exactly `max_tokens` tokens. */
  readonly exactLength: boolean;
  /** Additional headers of every request, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

export function requestOf(prompt: Prompt, options: RequestOptions): OutgoingRequest {
  const body = JSON.stringify({
    model: options.model,
    messages: prompt.messages,
    stream: options.stream,
    ...(options.stream ? { stream_options: { include_usage: true } } : {}),
    ...(prompt.maxTokens === null ? {} : { max_tokens: prompt.maxTokens }),
    ...(options.exactLength ? { ignore_eos: true } : {}),
  });
  const headers = {
    'content-type': 'application/json',
    ...(options.key === null ? {} : { authorization: `Bearer ${options.key}` }),
    ...options.headers,
  };
  return { method: 'POST', path: options.path, headers, body };
}

/** Prompts of a corpus in turn, from a seeded start; answers up to `maxTokens`. */
export function fromCorpus(
  corpus: readonly (readonly object[])[],
  maxTokens: number | null,
  random: Random,
): PromptSource {
  let next = random.below(corpus.length);
  return (traced) => {
    const messages = corpus[next]!;
    next = (next + 1) % corpus.length;
    return { messages, maxTokens: maxTokens ?? traced?.outputTokens ?? null };
  };
}

/** Generated prompts with random lengths and topics; a traced request keeps its length and prefix. */
export function generated(
  lengths: LengthModel,
  topics: ClusterShares,
  maxTokens: number | null,
  random: Random,
): PromptSource {
  return (traced) => {
    const { promptTokens, outputTokens } = traced ?? drawLengths(lengths, random);
    const topic = drawCluster(topics, random);
    // The last block of a traced prompt is rarely full, so only whole blocks are shared.
    const shared = (traced?.prefixIds ?? []).slice(0, Math.floor(promptTokens / MOONCAKE_BLOCK_TOKENS));
    const prefix = shared.map((id) => wordsOfBlock(id, MOONCAKE_BLOCK_TOKENS)).join('');
    const own = topicText(topic, promptTokens - shared.length * MOONCAKE_BLOCK_TOKENS, random);
    return {
      messages: [{ role: 'user', content: prefix + own }],
      maxTokens: maxTokens ?? outputTokens,
    };
  };
}

/**
 * The messages of every line: JSON with `messages`, `prompt` or `text`, else the line itself as a prompt.
 * @throws {UserError} naming the invalid line, or when the file has no prompt
 */
export function parseCorpus(text: string, name: string): readonly (readonly object[])[] {
  const lines = text.split(/\r?\n/);
  const corpus = lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    if (!line.trimStart().startsWith('{')) return [[{ role: 'user', content: line }]];
    return [messagesOf(line, `${name}, line ${index + 1}`)];
  });
  if (corpus.length === 0) throw new UserError(`prompts ${name}: the file contains no prompt.`);
  return corpus;
}

function messagesOf(line: string, at: string): readonly object[] {
  let row: Record<string, unknown>;
  try {
    row = JSON.parse(line) as Record<string, unknown>;
  } catch (cause) {
    throw new UserError(`prompts ${at}: is not valid JSON.`, { cause });
  }
  if (Array.isArray(row.messages) && row.messages.length > 0) return row.messages as object[];
  const content = row.prompt ?? row.text;
  if (typeof content === 'string') return [{ role: 'user', content }];
  throw new UserError(`prompts ${at}: has neither 'messages' nor 'prompt' nor 'text'.`);
}
