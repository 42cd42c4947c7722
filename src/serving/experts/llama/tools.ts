/**
 * Tools that the model may call but need not, in the form in which models without a template of their own for them have
 * learned it: a JSON object between tags. Pure.
 */
import type { Message, Part, Tool } from '../../dialects/ask.ts';
import { type TextMessage, textMessages } from '../text-prompt.ts';

/** What a call begins with, in the midst of an answer. */
export const CALL = '<tool_call>';
const CALL_END = '</tool_call>';

/** @param trained whether the model has learned the form: others know less of schemas, and have less room */
export function toldOfTools(tools: readonly Tool[], trained: boolean): string {
  if (!trained) return `Functions:\n${tools.map(signatureOf).join('\n')}`;
  const signatures = tools.map(({ name, description, parameters }) =>
    JSON.stringify({ type: 'function', function: { name, description, parameters } }),
  );
  return (
    `These functions can be called where they help:\n<tools>\n${signatures.join('\n')}\n</tools>\n` +
    `A call is a JSON object between tags:\n${CALL}\n{"name": <name>, "arguments": <object>}\n${CALL_END}`
  );
}

/** Of a description, in characters. */
const MOST_TOLD = 200;
/** Of the client's tools. */
const MOST_EXAMPLES = 3;
const SMALL_TALK = [
  ['Who wrote Hamlet?', 'William Shakespeare wrote Hamlet.'],
  ['Good morning!', 'Good morning! How can I help you?'],
  ['Explain gravity.', 'Masses attract each other.'],
] as const;

/** Turns that show a model which has not learned the form when to call, and when to answer. */
export function exampleTurns(tools: readonly Tool[]): readonly TextMessage[] {
  return tools.slice(0, MOST_EXAMPLES).flatMap((tool, at) => {
    const [question, answer] = SMALL_TALK[at]!;
    const given = Object.fromEntries(namesOf(tool).map((name) => [name, '…']));
    return [
      { role: 'user', content: describedIn(tool) },
      { role: 'assistant', content: callText(tool.name, JSON.stringify(given)) },
      { role: 'user', content: question },
      { role: 'assistant', content: answer },
    ];
  });
}

/**
 * By how much a model that has not learned the form leans to a call, in logits of its first token: of 34 prompts with the
 * built-in model, it puts a call first for 13 of 16 that need a tool, and words for 15 of 18 others.
 */
export const LEAN = 5;

/** Whether a person spoke last: after a tool's result a model that leans to calls would never end. */
export function personSpokeLast(messages: readonly Message[]): boolean {
  const last = messages.at(-1);
  return last?.role === 'user' && last.parts.every(({ type }) => type !== 'tool result');
}

/**
 * Calls and results as text. Neighbours of one role become one message, as templates want it: results of calls at once, say.
 * @throws RouterError naming a part that is not text
 */
export function messagesWithCalls(messages: readonly Message[]): readonly TextMessage[] {
  const told: { role: string; content: string }[] = [];
  for (const message of messages) {
    const parts = message.parts.map((part) => textOf(part, message));
    const content = parts.filter(Boolean).join(message.parts.some(isOfTools) ? '\n' : '');
    const role = message.role === 'tool' ? 'user' : message.role;
    const before = told.at(-1);
    const joins = before?.role === role && message.parts.some(isOfTools);
    if (joins) before.content += `\n${content}`;
    else told.push({ role, content });
  }
  return told;
}

function isOfTools({ type }: Part): boolean {
  return type === 'tool call' || type === 'tool result';
}

function textOf(part: Part, { role, at }: Message): string {
  if (part.type === 'tool call') return callText(part.name ?? '', part.arguments || '{}');
  const [{ content }] = textMessages([{ role, at, parts: [part] }]) as [TextMessage];
  return part.type === 'tool result' ? `<tool_response>\n${content}\n</tool_response>` : content;
}

function callText(name: string, json: string): string {
  return `${CALL}\n{"name": ${JSON.stringify(name)}, "arguments": ${json}}\n${CALL_END}`;
}

function signatureOf(tool: Tool): string {
  return `${tool.name}(${namesOf(tool).join(', ')}): ${describedIn(tool)}`;
}

function describedIn({ name, description }: Tool): string {
  return (description ?? name).slice(0, MOST_TOLD);
}

/** Of the arguments that a call must have; of all where none must. */
function namesOf({ parameters }: Tool): readonly string[] {
  const { properties, required } = (parameters ?? {}) as { properties?: object; required?: unknown };
  const needed = Array.isArray(required) ? required.filter((name) => typeof name === 'string') : [];
  return needed.length > 0 ? needed : Object.keys(properties ?? {});
}
