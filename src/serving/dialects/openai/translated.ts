/** An ask of any dialect → the body of a chat completion. */
import {
  type AnswerFormat,
  type Ask,
  AUTO,
  type Capability,
  type FilePart,
  type Message,
  type Part,
  type Tools,
} from '../ask.ts';
import type { Json } from '../dialect.ts';
import { invalid, unsupported } from '../json.ts';
import { OpenAiAsk } from './ask.ts';
import { openAiChat } from './chat.ts';

/** Demands that a chat completion can express. */
export const CHAT_CAN: readonly Capability[] = ['a chosen tool', 'json', 'json schema'];

/**
 * Streamed as the client asked, and then with usage: an event for each token costs many times a whole answer. The caller
 * sets the model.
 * @throws RouterError 400 naming a field that is invalid or has no counterpart
 */
export function asChat(ask: Ask): OpenAiAsk {
  const json = chatBodyOf(ask);
  // Of what routing reads, which has been read, a server gets nothing but the stream.
  const { stream, turns, affinityKey, answerLimit, session, toolLoop } = ask;
  const facts = { model: AUTO, stream, turns, affinityKey, answerLimit, session, toolLoop, stored: null };
  return new OpenAiAsk(openAiChat, 'chat', facts, {
    bytes: Buffer.from(JSON.stringify(json)),
    json,
    partial: false,
  });
}

function chatBodyOf(ask: Ask): Json {
  const prompt = ask.prompt();
  const asked = ask.parameters();
  return defined({
    messages:
      prompt.kind === 'text' ? [{ role: 'user', content: prompt.text }] : prompt.messages.flatMap(messagesOf),
    max_tokens: asked.maxTokens,
    temperature: asked.temperature,
    top_p: asked.topP,
    top_k: asked.topK,
    seed: asked.seed,
    repetition_penalty: asked.repetitionPenalty,
    frequency_penalty: asked.frequencyPenalty || undefined,
    presence_penalty: asked.presencePenalty || undefined,
    stop: asked.stop.length > 0 ? asked.stop : undefined,
    ...toolFields(ask.tools()),
    reasoning_effort: effortOf(asked.effort),
    response_format: formatOf(ask.format()),
    ...(ask.stream ? { stream: true, stream_options: { include_usage: true } } : {}),
  });
}

/** What servers that know efforts at all know. */
function effortOf(effort: string | undefined): string | undefined {
  if (effort === 'xhigh' || effort === 'max') return 'high';
  if (effort === 'minimal') return 'low';
  return effort === 'none' ? undefined : effort;
}

/** Each tool result becomes a message of its own; its pictures and files, which it cannot hold, are the user's after them. */
function messagesOf({ role, parts }: Message): readonly Json[] {
  const results = parts.filter((part) => part.type === 'tool result');
  const calls = parts.filter((part) => part.type === 'tool call');
  const shown = results.flatMap((result) => result.parts.filter(isShown));
  const content = contentOf([...shown, ...parts]);
  const own =
    content === null && calls.length === 0 ? [] : [{ role: role === 'tool' ? 'user' : role, content }];
  return [
    ...results.map((part) => ({
      role: 'tool',
      tool_call_id: part.id ?? '',
      content: contentOf(part.parts.filter((inner) => !isShown(inner))) ?? '',
    })),
    ...own.map((message) => (calls.length > 0 ? { ...message, tool_calls: calls.map(callOf) } : message)),
  ];
}

function isShown({ type }: Part): boolean {
  return type === 'image' || type === 'file';
}

function callOf(part: Extract<Part, { type: 'tool call' }>): Json {
  const { id, name, arguments: json, at } = part;
  if (id === null || name === null) throw invalid(at, 'must be a call of a function, with id and name');
  return { id, type: 'function', function: { name, arguments: json ?? '' } };
}

/** Text alone becomes a string, since not every server takes parts. */
function contentOf(parts: readonly Part[]): string | readonly Json[] | null {
  const said = parts.filter((part) => SAID.includes(part.type));
  if (said.length === 0) return null;
  if (said.every((part) => part.type === 'text')) return said.map(({ text }) => text).join('');
  return said.map((part) => {
    if (part.type === 'text') return { type: 'text', text: part.text };
    if (part.type === 'image') {
      if (part.url === null) throw invalid(part.urlAt, 'must be an address');
      return { type: 'image_url', image_url: defined({ url: part.url, detail: part.detail }) };
    }
    if (part.type === 'file') return { type: 'file', file: fileOf(part) };
    throw unsupported('at' in part ? part.at : 'messages', 'this expert reads text, images and files');
  });
}

const SAID: readonly Part['type'][] = ['text', 'image', 'file', 'other'];

function fileOf({ data, id, name, at }: FilePart): Json {
  if (data === null && id === null) throw unsupported(at, 'this expert takes files by their content only');
  return defined({
    file_data: data ?? undefined,
    file_id: id ?? undefined,
    filename: name ?? undefined,
  });
}

function toolFields({ list, choice, parallel }: Tools): Json {
  if (list.length === 0) return {};
  return {
    tools: list.map(({ name, description, parameters, strict }) => ({
      type: 'function',
      function: defined({ name, description, parameters, strict: strict || undefined }),
    })),
    tool_choice: choiceOf(choice),
    parallel_tool_calls: parallel ? undefined : false,
  };
}

function choiceOf(choice: Tools['choice']): unknown {
  if (choice === null) return undefined;
  if (choice.type === 'one') return { type: 'function', function: { name: choice.name } };
  return choice.type === 'any' ? 'required' : choice.type;
}

function formatOf(format: AnswerFormat): unknown {
  if (format.type === 'text') return undefined;
  if (format.type === 'json') return { type: 'json_object' };
  const { name = 'answer', schema, description, strict } = format;
  return { type: 'json_schema', json_schema: defined({ name, description, strict, schema }) };
}

function defined(fields: Json): Json {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
