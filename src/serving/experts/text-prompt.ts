/** A request's messages or prompt as plain text, for experts that read text only. */
import { excerpt } from '../../core/excerpt.ts';
import type { Ask, Message, Part } from '../dialects/ask.ts';
import { unsupported } from '../dialects/json.ts';

export interface TextMessage {
  readonly role: string;
  readonly content: string;
}

/** @throws RouterError naming a part that is not text */
export function textMessages(messages: readonly Message[]): readonly TextMessage[] {
  return messages.map(({ role, parts }) => ({ role, content: parts.map(textOf).join('') }));
}

/** The last user message, or the prompt. */
export function lastText(ask: Ask): string {
  const prompt = ask.prompt();
  if (prompt.kind === 'text') return prompt.text;
  const messages = textMessages(prompt.messages);
  return messages.findLast((message) => message.role === 'user')?.content ?? messages.at(-1)?.content ?? '';
}

function textOf(part: Part): string {
  switch (part.type) {
    case 'text':
      return part.text;
    case 'tool result':
      return part.parts.map(textOf).join('');
    case 'image':
      throw unsupported(part.at, 'it is an image; this expert reads text only');
    case 'file':
      throw unsupported(part.at, 'it is a file; this expert reads text only');
    case 'other':
      throw unsupported(part.at, `it is of type ${excerpt(part.name)}; this expert reads text only`);
    default:
      // Tool calls and thinking of earlier turns, which text templates cannot hold.
      return '';
  }
}
