/**
 * Extracts from a request the text to classify: each user turn, with the system prompt and earlier turns as context of
 * lower weight. Never throws on malformed content.
 */
import { LIMITS } from '../../core/bounds.ts';
import {
  bothEnds,
  isFileTurn,
  isProgramPrompt,
  isSideRequest,
  type PersonsWords,
  personsWords,
} from './persons-words.ts';
import type { RepeatedLines, SplitMessage } from './repeated-lines.ts';
import { CONTEXT_BUDGET, MAIN_BUDGET, sampleText } from './sampling.ts';

export interface Segment {
  readonly text: string;
  /** 1 for the person's words in the turn being classified, less for its context. */
  readonly weight: number;
  /** Counts the less, the more the person's words say by themselves: earlier turns and the system prompt. */
  readonly fades?: true;
}

export interface RoutableText {
  /** The user turn first, then context by descending weight. Empty if there is no text. */
  readonly segments: readonly Segment[];
  /** Number of images, audio, files and other parts that are not text. */
  readonly unreadParts: number;
  /** A program asks about the conversation, such as for a title of it. */
  readonly side?: true;
  /** What was read of the user turn, as it came, where it has several lines. */
  readonly said?: string;
}

/** Maximum number of turns returned: the first user turn and the latest ones. */
export const MAX_TURNS: number = LIMITS.turns;

const SYSTEM_WEIGHT = 0.2;
/** What the turn quotes: code, logs, passages. */
const QUOTED_WEIGHT = 0.4;
/** Weights of the previous turn and the one before it; older turns are ignored. */
const EARLIER_WEIGHTS = [0.3, 0.15] as const;

interface Chat {
  readonly messages: unknown;
}
interface Completion {
  readonly prompt: unknown;
}

interface Read {
  readonly text: string;
  readonly unread: number;
}

const NOTHING: Read = { text: '', unread: 0 };

/** A text as it is, as routable text. */
export function plainText(text: string): RoutableText {
  return { segments: text === '' ? [] : [{ text, weight: 1 }], unreadParts: 0 };
}

/** A prompt that stands alone, as a person typed it or a program sent it. */
export function promptText(prompt: string): RoutableText {
  return routableTurn(readTurn({ text: prompt, unread: 0 }), [], NOTHING);
}

/**
 * One entry per user turn, oldest first, at most `MAX_TURNS` (the first and the latest ones); never empty. The last
 * entry is what the request is about. Content given as a list of parts gives the same text as the string form
 * (parts joined by line breaks). A completion request has one entry, its prompts joined.
 */
export function routableTurns(endpoint: 'chat', json: Chat): readonly RoutableText[];
export function routableTurns(endpoint: 'completions', json: Completion): readonly RoutableText[];
export function routableTurns(
  endpoint: 'chat' | 'completions',
  json: Chat | Completion,
): readonly RoutableText[] {
  if (endpoint === 'completions') return [promptText(joinedPrompts((json as Completion).prompt))];
  return chatTurns((json as Chat).messages);
}

function chatTurns(messages: unknown): readonly RoutableText[] {
  const list: readonly unknown[] = Array.isArray(messages) ? messages : [];
  const systems = list.filter(isSystem);
  const system = systems.length === 0 ? NOTHING : systemOf(systems);
  const users = personsTurns(list.filter(isUser));
  if (users.length === 0) return [routableTurn(readTurn(contentOf(list.at(-1))), [], system)];
  // A turn is read once, for itself and as the context of later ones.
  const read = new Map<number, Turn>();
  const turnAt = (index: number): Turn => {
    const known = read.get(index) ?? readTurn(contentOf(users[index]));
    read.set(index, known);
    return known;
  };
  return turnIndexes(users.length).map((index) => {
    const earlier = EARLIER_WEIGHTS.slice(0, index).map((_, back) => turnAt(index - 1 - back));
    return routableTurn(turnAt(index), earlier, system);
  });
}

function systemOf(systems: readonly unknown[]): Read {
  return joined(systems.map(contentOf).filter(({ text }) => !isProgramPrompt(text)));
}

/** All indexes if they fit, else the first and the latest. */
function turnIndexes(count: number): readonly number[] {
  const indexes = count > MAX_TURNS ? [0] : [];
  for (let index = count - Math.min(count, MAX_TURNS) + indexes.length; index < count; index += 1)
    indexes.push(index);
  return indexes;
}

/** Without those that only hand over files, unless there are no others. */
function personsTurns(users: readonly unknown[]): readonly unknown[] {
  const own = users.filter((message) => !isFileTurn(contentOf(message).text));
  return own.length > 0 ? own : users;
}

/** A user turn, with its person's words found. */
interface Turn extends Read, PersonsWords {}

function readTurn(turn: Read): Turn {
  return { ...turn, ...personsWords(turn.text) };
}

function routableTurn(turn: Turn, earlier: readonly Turn[], system: Read): RoutableText {
  const { asked, quoted } = turn;
  const fades = true;
  const segments: Segment[] = [
    { text: asked, weight: 1 },
    { text: quoted, weight: QUOTED_WEIGHT },
  ];
  for (const [back, { asked: text }] of earlier.entries())
    segments.push({ text, weight: EARLIER_WEIGHTS[back]!, fades });
  segments.push({ text: system.text, weight: SYSTEM_WEIGHT, fades });
  const side = isSideRequest(system.text, turn.text);
  const said = turn.text.includes('\n') ? bothEnds(turn.text) : null;
  const read = { segments: byWeight(segments), unreadParts: turn.unread };
  if (!side && said === null) return read;
  return { ...read, ...(side ? { side } : {}), ...(said === null ? {} : { said }) };
}

/** The same turn, what its caller's program puts into every message being context. */
export function personsPart(turn: RoutableText, lines: RepeatedLines, whose: string): RoutableText {
  const split = turn.said === undefined ? null : lines.read(turn.said, whose);
  return split === null ? turn : withoutRepeated(turn, split);
}

function withoutRepeated(turn: RoutableText, { own, repeated }: SplitMessage): RoutableText {
  const { asked, quoted } = personsWords(own);
  const context = [quoted, repeated].filter(Boolean).join('\n');
  const others = turn.segments.filter(({ fades }) => fades);
  return {
    ...turn,
    segments: byWeight([{ text: asked, weight: 1 }, { text: context, weight: QUOTED_WEIGHT }, ...others]),
  };
}

function byWeight(segments: readonly Segment[]): readonly Segment[] {
  return segments.filter((segment) => segment.text !== '').sort((a, b) => b.weight - a.weight);
}

/** The sampled text that the decision is based on, the user turn first; for display. */
export function textUsed(text: RoutableText): string {
  return text.segments.map((segment) => sampleText(segment.text, budgetOf(segment))).join('\n\n');
}

/** Units of a segment that are read: context gets fewer than the turn itself. */
export function budgetOf(segment: Segment): number {
  return segment.weight >= 1 ? MAIN_BUDGET : CONTEXT_BUDGET;
}

function roleOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null ? (message as { role?: unknown }).role : undefined;
}

function isUser(message: unknown): boolean {
  return roleOf(message) === 'user';
}

function isSystem(message: unknown): boolean {
  const role = roleOf(message);
  return role === 'system' || role === 'developer';
}

function contentOf(message: unknown): Read {
  if (typeof message !== 'object' || message === null) return NOTHING;
  return readContent((message as { content?: unknown }).content);
}

/** The text of a message's content, string or list of parts, with a count of the parts that are not text. */
export function readContent(content: unknown): Read {
  if (typeof content === 'string') return { text: content, unread: 0 };
  if (!Array.isArray(content)) return NOTHING;
  const texts: string[] = [];
  let unread = 0;
  for (const part of content as readonly unknown[]) {
    const text = partText(part);
    if (text === undefined) unread += 1;
    else texts.push(text);
  }
  return { text: texts.join('\n'), unread };
}

function partText(part: unknown): string | undefined {
  if (typeof part === 'string') return part;
  if (typeof part !== 'object' || part === null) return undefined;
  const { type, text } = part as { type?: unknown; text?: unknown };
  const readable = type === undefined || type === 'text' || type === 'input_text';
  return readable && typeof text === 'string' ? text : undefined;
}

function joined(reads: readonly Read[]): Read {
  return {
    text: reads
      .map((read) => read.text)
      .filter(Boolean)
      .join('\n'),
    unread: reads.reduce((sum, read) => sum + read.unread, 0),
  };
}

function joinedPrompts(prompt: unknown): string {
  if (typeof prompt === 'string') return prompt;
  return Array.isArray(prompt) ? prompt.filter((one) => typeof one === 'string').join('\n') : '';
}
