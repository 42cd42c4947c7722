/** What is known to differ from a published schema, and why; and refusals of requests that are right by one. */
import { isObject } from '../../src/serving/dialects/json.ts';

interface Known {
  /** Of the document's title. */
  readonly of: RegExp;
  readonly what: RegExp;
  readonly why: string;
}

export const KNOWN: readonly Known[] = [
  {
    of: /^OpenAI/,
    what: /^\/v1\/responses: .*\/usage must be object/,
    why: 'usage is null until it is known, as in the examples of the document itself',
  },
  {
    of: /^OpenAI/,
    what: /^\/v1\/completions: event chunk: (\/choices\/\*\/finish_reason|\/usage) must/,
    why: 'null before the end of a stream, as in the examples of the document itself',
  },
  {
    of: /^OpenAI/,
    what: /^\/v1\/embeddings: .*\/embedding must be array/,
    why: 'base64 is a text, as encoding_format asks; the schema has numbers only',
  },
  {
    of: /^Anthropic/,
    what: /^\/v1\/messages: (answer 200: \/content\/\*|event content_block_start: \/content_block) must match exactly one schema/,
    why: "texts have no 'citations', as Anthropic's own answers, and some clients take no null there",
  },
  {
    of: /^Open Responses/,
    what: /custom_tool_call|\/tool_choice must match|(?:\/tools\/\*|\/item) must match/,
    why: "custom tools and namespaces are OpenAI's alone",
  },
  {
    of: /^Open Responses/,
    what: /event response\.reasoning_text\.(?:delta|done)/,
    why: 'reasoning has the names of events that OpenAI gives it',
  },
  { of: /^Open Responses/, what: /event error: it must/, why: "an error event is flat, as OpenAI's" },
  {
    of: /^Open Responses/,
    what: /\/text\/format\/schema must be null/,
    why: 'a schema that was asked for is repeated; the document takes null only',
  },
];

const STATED: readonly RegExp[] = [
  // Text-only experts refuse pictures and files; others fetch none.
  /this expert reads text only/,
  /this expert takes files by their content only/,
  // An expert gives what it can.
  /token probabilities are not offered/,
];

/** Whether docs/dialects.md says that it is refused. */
export function refusedAsStated(status: number, body: unknown): boolean {
  const message = isObject(body) && isObject(body.error) ? String(body.error.message) : '';
  return status === 400 && STATED.some((reason) => reason.test(message));
}
