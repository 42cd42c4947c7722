/** What requests of one conversation have in common, and where it stands. */
import { LIMITS } from '../../core/bounds.ts';
import type { RoutingFacts } from './ask.ts';
import { isObject } from './json.ts';

/** Characters per message that identify a conversation. */
const KEY_CHARACTERS = 512;

interface Said {
  readonly role: string;
  readonly content?: unknown;
}

/**
 * What stays the same as a conversation grows, like its cached prefix: its first messages, shortened.
 * @param messages content as a text, or a list of parts with texts
 */
export function conversationKey(messages: readonly Said[]): string {
  let key = '';
  for (const { role, content } of messages.slice(0, 2)) {
    key += `${role.slice(0, LIMITS.roleUnits)}:${beginningOf(content)}\n`;
    if (role === 'user') break;
  }
  return key;
}

function beginningOf(content: unknown): string {
  if (typeof content === 'string') return content.slice(0, KEY_CHARACTERS);
  if (!Array.isArray(content)) return '';
  const part: unknown = content.find((one) => isObject(one) && typeof one.text === 'string');
  return isObject(part) ? String(part.text).slice(0, KEY_CHARACTERS) : '';
}

/** @param running whether the last message is the result of a tool */
export function toolLoop(tools: unknown, running: boolean): RoutingFacts['toolLoop'] {
  if (running) return 'running';
  return Array.isArray(tools) && tools.length > 0 ? 'possible' : 'none';
}
