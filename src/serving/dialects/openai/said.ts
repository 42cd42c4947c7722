/** What a message of a chat completion says, or a piece of one, in the spellings of OpenAI's API and of those who imitate it. */
import type { Source } from '../../reply/reply.ts';
import type { Json } from '../dialect.ts';
import { isObject, textOrNull } from '../json.ts';

/** Null for none. */
export interface Said {
  readonly thought: string | null;
  readonly text: string | null;
  readonly refused: string | null;
  readonly calls: readonly CallPiece[];
  readonly sources: readonly Source[];
  /** Whether it holds sound. */
  readonly sounds: boolean;
}

/** A call of a tool, or a piece of one: only a call's first piece has its id and name. */
export interface CallPiece {
  /** Equal for the pieces of one call. */
  readonly index: unknown;
  readonly id: string | null;
  readonly name: string | null;
  /** JSON as text; the plain input where `custom`. */
  readonly given: string | null;
  /** A tool that takes any text. */
  readonly custom: boolean;
}

/** Some servers (Mistral's) give content in parts, thinking among them. What is spoken has its words beside it. */
export function saidIn(message: Json): Said {
  const { content, refusal, audio } = message;
  const parts = Array.isArray(content) ? content.filter(isObject) : [];
  const words = parts.map(({ text }) => textOrNull(text) ?? '').join('');
  const refused = parts.map((part) => textOrNull(part.refusal) ?? '').join('');
  const thought = parts.map(({ thinking }) => wordsOf(thinking)).join('');
  const spoken = isObject(audio) ? textOrNull(audio.transcript) : null;
  return {
    thought: thought || thoughtIn(message),
    text: (textOrNull(content) ?? words) + (spoken ?? '') || null,
    refused: refused + (textOrNull(refusal) ?? '') || null,
    calls: callsIn(message),
    sources: sourcesIn(message.annotations),
    sounds: isObject(audio),
  };
}

/** Under the names of DeepSeek and vLLM, of OpenRouter and Ollama, and of others. */
function thoughtIn({
  reasoning_content,
  reasoning,
  thinking,
  reasoning_details: details,
}: Json): string | null {
  const named = textOrNull(reasoning_content) ?? textOrNull(reasoning) ?? textOrNull(thinking);
  if (named !== null || !Array.isArray(details)) return named;
  const texts = details
    .filter(isObject)
    .map(({ text, summary }) => textOrNull(text) ?? textOrNull(summary) ?? '');
  return texts.join('') || null;
}

/** A text, or the texts of parts. */
function wordsOf(value: unknown): string {
  if (!Array.isArray(value)) return textOrNull(value) ?? '';
  return value.map((part: unknown) => (isObject(part) ? (textOrNull(part.text) ?? '') : '')).join('');
}

/** The single call of the older form has no id and no index. */
function callsIn({ tool_calls: calls, function_call: older }: Json): readonly CallPiece[] {
  const all = Array.isArray(calls) ? calls.map(callIn).filter((call) => call !== null) : [];
  if (!isObject(older)) return all;
  return [...all, { ...FUNCTION, index: OLDER, id: null, ...functionIn(older) }];
}

const OLDER = 'function_call';
const FUNCTION = { custom: false } as const;

function callIn(call: unknown, at: number): CallPiece | null {
  if (!isObject(call)) return null;
  const { id, index = at, function: called, custom } = call;
  const own = { index, id: textOrNull(id) };
  if (!isObject(custom)) return { ...FUNCTION, ...own, ...functionIn(isObject(called) ? called : {}) };
  return { ...own, name: textOrNull(custom.name), given: textOrNull(custom.input), custom: true };
}

/** JSON as text; some servers give the object itself. */
function functionIn({ name, arguments: given }: Json): Pick<CallPiece, 'name' | 'given'> {
  return { name: textOrNull(name), given: isObject(given) ? JSON.stringify(given) : textOrNull(given) };
}

function sourcesIn(annotations: unknown): readonly Source[] {
  if (!Array.isArray(annotations)) return [];
  return annotations.flatMap((annotation: unknown) => {
    const cited = isObject(annotation) ? annotation.url_citation : null;
    const { url, title, start_index, end_index } = isObject(cited) ? cited : {};
    if (typeof url !== 'string') return [];
    return [
      { url, title: textOrNull(title) ?? '', from: Number(start_index ?? 0), to: Number(end_index ?? 0) },
    ];
  });
}
