/**
 * The conversation or prompt of a request as plain text, for experts that read text only.
 * It knows nothing of templates or tokens; what is not text is refused rather than dropped.
 */
import { RouterError } from '../../core/errors.ts';
import { excerpt } from '../../core/excerpt.ts';
import { wellFormed } from '../../core/well-formed.ts';
import type { ExpertRequest } from './expert.ts';

export interface TextMessage {
  readonly role: string;
  readonly content: string;
}

/** The messages of a chat request; `developer` is called `system`, as models know it. */
export function readMessages(messages: unknown): readonly TextMessage[] {
  if (!Array.isArray(messages) || messages.length === 0) {
    throw new RouterError('invalid_body', "'messages' must be a list with at least one message.", {
      param: 'messages',
    });
  }
  return messages.map((message: unknown, index) => {
    const at = `messages[${index}]`;
    const { role, content } = (message ?? {}) as { role?: unknown; content?: unknown };
    if (typeof role !== 'string' || role === '') {
      throw new RouterError('invalid_body', `'${at}.role' must be a text.`, { param: `${at}.role` });
    }
    return { role: role === 'developer' ? 'system' : role, content: readContent(content, `${at}.content`) };
  });
}

/** One prompt; a list of several is refused, because the reply has room for one answer. */
export function readPrompt(prompt: unknown): string {
  const list: unknown = Array.isArray(prompt) ? prompt : [prompt];
  const [first, ...more] = list as unknown[];
  if (more.length > 0) {
    throw new RouterError('unsupported_parameter', "'prompt' may hold one text per request.", {
      param: 'prompt',
    });
  }
  if (typeof first !== 'string') {
    throw new RouterError('invalid_body', "'prompt' must be a text.", { param: 'prompt' });
  }
  return wellFormed(first);
}

/** The text an answer is to, for experts that need no more than that: the last user message, or the prompt. */
export function lastText(request: ExpertRequest): string {
  if (request.endpoint === 'completions') return readPrompt(request.json.prompt);
  const messages = readMessages(request.json.messages);
  return messages.findLast((message) => message.role === 'user')?.content ?? messages.at(-1)?.content ?? '';
}

function readContent(content: unknown, at: string): string {
  if (content === null || content === undefined) return '';
  if (typeof content === 'string') return wellFormed(content);
  if (!Array.isArray(content)) {
    throw new RouterError('invalid_body', `'${at}' must be a text or a list of parts.`, { param: at });
  }
  return wellFormed(content.map((part: unknown, index) => readPart(part, `${at}[${index}]`)).join(''));
}

function readPart(part: unknown, at: string): string {
  const { type, text } = (part ?? {}) as { type?: unknown; text?: unknown };
  if (type === 'text' && typeof text === 'string') return text;
  if (typeof type !== 'string' || type === 'text') {
    throw new RouterError('invalid_body', `'${at}' must be an object with a type and, for text, a text.`, {
      param: at,
    });
  }
  throw new RouterError(
    'unsupported_parameter',
    `'${at}' is of type ${excerpt(type)}; this expert reads text only.`,
    {
      param: at,
    },
  );
}
