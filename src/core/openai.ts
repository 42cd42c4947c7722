/**
 * The part of OpenAI's wire format the router reads. Everything else in a body passes through unread,
 * so these types cover only what decides where a request goes.
 */

export type Endpoint = 'chat' | 'completions';

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

/** `prompt` may be one text or several; token-id prompts are refused before this type is reached. */
export interface CompletionBody {
  readonly model?: string;
  readonly prompt: string | readonly string[];
  readonly stream?: boolean;
  readonly [key: string]: unknown;
}

/** Token counts as the expert reported them. Nothing here is ever estimated. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

export type FinishReason = 'stop' | 'length' | 'content_filter' | 'tool_calls';
