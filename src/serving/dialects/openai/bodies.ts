/** The parts of OpenAI's request bodies that are read; everything else in a body passes through unread. */

/** A content part as sent in a list: text is read, all other kinds (images, audio, files) are only counted. */
export type ContentPart = { readonly type: string; readonly text?: unknown; readonly [key: string]: unknown };

export type MessageContent = string | readonly ContentPart[] | null | undefined;

export interface ChatMessage {
  readonly role: string;
  readonly content?: MessageContent;
  readonly [key: string]: unknown;
}

export interface ChatBody {
  readonly model?: string;
  readonly messages: readonly ChatMessage[];
  readonly stream?: boolean;
  readonly [key: string]: unknown;
}

/** `prompt` may be one text or several, or token ids, which are not read. */
export interface CompletionBody {
  readonly model?: string;
  readonly prompt: string | readonly (string | number | readonly number[])[];
  readonly stream?: boolean;
  readonly [key: string]: unknown;
}

/** Which of the two APIs. */
export type Endpoint = 'chat' | 'completions';
