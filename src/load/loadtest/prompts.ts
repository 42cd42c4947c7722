/** The requests a load test sends: prompts from a corpus or made up to a length. */
import { UserError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { OutgoingRequest } from '../../http/client.ts';
import { type ClusterShares, drawCluster } from '../../simulating/workload/clusters.ts';
import { drawLengths, type LengthModel } from '../../simulating/workload/lengths.ts';
import { MOONCAKE_BLOCK_TOKENS, type TracedRequest } from '../../simulating/workload/traces.ts';
import { topicText, wordsOfBlock } from './topics.ts';

export interface Question {
  /** OpenAI's messages. */
  readonly messages: readonly object[];
  readonly maxTokens: number | null;
}

/** Where the next question comes from; `traced` is given when a trace says how long it was. */
export type Questions = (traced?: TracedRequest) => Question;

export interface AskOptions {
  readonly path: string;
  readonly model: string;
  readonly key: string | null;
  readonly stream: boolean;
  /** Asks with vLLM's `ignore_eos`, so that answers have exactly `max_tokens` tokens. */
  readonly exactLength: boolean;
  /** More headers for every request, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

export function requestOf(question: Question, options: AskOptions): OutgoingRequest {
  const body = JSON.stringify({
    model: options.model,
    messages: question.messages,
    stream: options.stream,
    ...(options.stream ? { stream_options: { include_usage: true } } : {}),
    ...(question.maxTokens === null ? {} : { max_tokens: question.maxTokens }),
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
): Questions {
  let next = random.below(corpus.length);
  return (traced) => {
    const messages = corpus[next]!;
    next = (next + 1) % corpus.length;
    return { messages, maxTokens: maxTokens ?? traced?.outputTokens ?? null };
  };
}

/** Made-up prompts of drawn lengths, on topics of the given shares; a traced request keeps its length and prefix. */
export function generated(
  lengths: LengthModel,
  topics: ClusterShares,
  maxTokens: number | null,
  random: Random,
): Questions {
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
 * Messages of every line: JSON with `messages`, `prompt` or `text`, or else the line itself as a prompt.
 * @throws {UserError} naming the line at fault, or when there is none
 */
export function parseCorpus(text: string, name: string): readonly (readonly object[])[] {
  const lines = text.split(/\r?\n/);
  const corpus = lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    if (!line.trimStart().startsWith('{')) return [[{ role: 'user', content: line }]];
    return [messagesOf(line, `${name}, line ${index + 1}`)];
  });
  if (corpus.length === 0) throw new UserError(`prompts ${name}: the file holds no prompt.`);
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
