/**
 * What an emulated model does with a request: calls tools, writes JSON by a schema, or says that it is emulated.
 *
 * It calls a tool that the person names, as in `call get_weather {"city": "Bern"}`; arguments that are not given are
 * made by the tool's schema. Calls on one line are made at once, and each line is a step of its own, so that an agent
 * can be led through several turns. A tool that the client demands is called even if nobody names it.
 */
import type { Ask, Capability, Message, Tool } from '../../dialects/ask.ts';
import { isObject, parseJson } from '../../dialects/json.ts';
import { lastText, textMessages } from '../text-prompt.ts';
import { valueFor } from './by-schema.ts';
import { emulatedText } from './text.ts';

/** What it can do beside text. */
export const EMULATED_CAN: readonly Capability[] = ['a chosen tool', 'json', 'json schema'];

export interface EmulatedCall {
  readonly name: string;
  /** Arguments, as JSON. */
  readonly json: string;
}

export interface Conduct {
  /** What it answers; empty where it calls tools. */
  readonly text: string;
  readonly calls: readonly EmulatedCall[];
}

/** @throws RouterError naming a field that is invalid, or a part that is no text */
export function conductOf(expert: string, ask: Ask): Conduct {
  const calls = callsFor(ask);
  if (calls.length > 0) return { text: '', calls };
  const format = ask.format();
  if (format.type === 'text') return { text: emulatedText(expert, heard(ask)), calls };
  const value =
    format.type === 'schema'
      ? valueFor(format.schema, 'emulated')
      : { answer: emulatedText(expert, heard(ask)) };
  return { text: JSON.stringify(value), calls };
}

/** What the answer refers to: what the tools said where they spoke last, else the person's words. */
function heard(ask: Ask): string {
  const prompt = ask.prompt();
  const last = prompt.kind === 'conversation' ? prompt.messages.at(-1) : undefined;
  const results = last?.parts.filter((part) => part.type === 'tool result') ?? [];
  if (last === undefined || results.length === 0) return lastText(ask);
  return textMessages([{ ...last, parts: results }])[0]!.content;
}

function callsFor(ask: Ask): readonly EmulatedCall[] {
  const { list, choice } = ask.tools();
  if (list.length === 0 || choice?.type === 'none') return [];
  const prompt = ask.prompt();
  const step = prompt.kind === 'conversation' ? nextStep(prompt.messages, list) : [];
  if (step.length > 0) return step;
  if (choice?.type === 'any') return [madeUp(list[0]!)];
  const one = choice?.type === 'one' ? list.find(({ name }) => name === choice.name) : undefined;
  return one ? [madeUp(one)] : [];
}

/** The steps that the last person to name a tool asks for, less those that have been taken since. */
function nextStep(messages: readonly Message[], tools: readonly Tool[]): readonly EmulatedCall[] {
  for (let at = messages.length - 1; at >= 0; at -= 1) {
    const { role, parts } = messages[at]!;
    if (role !== 'user') continue;
    const steps = parts.flatMap((part) => (part.type === 'text' ? stepsIn(part.text, tools) : []));
    if (steps.length === 0) continue;
    const taken = messages.slice(at + 1).filter(callsTools).length;
    return steps[taken] ?? [];
  }
  return [];
}

function callsTools({ role, parts }: Message): boolean {
  return role === 'assistant' && parts.some(({ type }) => type === 'tool call');
}

function stepsIn(text: string, tools: readonly Tool[]): readonly (readonly EmulatedCall[])[] {
  if (!text.includes('call ')) return [];
  return text
    .split('\n')
    .map((line) => callsIn(line, tools))
    .filter((calls) => calls.length > 0);
}

function callsIn(line: string, tools: readonly Tool[]): readonly EmulatedCall[] {
  return [...line.matchAll(/\bcall ([\w-]+)/g)].flatMap((match) => {
    const tool = tools.find(({ name }) => name === match[1]);
    if (!tool) return [];
    const given = objectAt(line.slice(match.index + match[0].length));
    return [given === null ? madeUp(tool) : { name: tool.name, json: given }];
  });
}

/** The JSON object with which a text begins, white space aside; null for none. */
function objectAt(text: string): string | null {
  const rest = text.trimStart();
  if (!rest.startsWith('{')) return null;
  for (let end = rest.indexOf('}'); end >= 0; end = rest.indexOf('}', end + 1)) {
    const json = rest.slice(0, end + 1);
    if (isObject(parseJson(json))) return json;
  }
  return null;
}

function madeUp({ name, parameters }: Tool): EmulatedCall {
  return { name, json: JSON.stringify(valueFor({ type: 'object', ...parameters }, 'emulated')) };
}
