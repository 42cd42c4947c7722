/** The object that every answer of the Responses API holds, and the items in it. */
import { wellFormed } from '../../../core/well-formed.ts';
import type { ReplyMeta, Source } from '../../reply/reply.ts';
import { customInput } from '../custom-tools.ts';
import type { Json } from '../dialect.ts';
import { isObject } from '../json.ts';
import type { NamedTool } from './tools.ts';

export interface ResponseState {
  readonly status: 'in_progress' | 'completed' | 'incomplete' | 'failed';
  readonly output: readonly Json[];
  readonly usage: Json | null;
  readonly incompleteFor?: string | null;
  readonly error?: Json;
  /** Epoch seconds; null until it has ended. */
  readonly completedAt: number | null;
}

/**
 * What is the same in every event of an answer: fields of the request, and the API's default where it has none. Nothing is
 * kept, so `store` is false whatever was asked.
 */
export function repeatedFields(json: Json): Json {
  const { reasoning, text, tools, user } = json;
  const { effort = null, summary = null } = isObject(reasoning) ? reasoning : {};
  const said = isObject(text) ? text : {};
  return {
    instructions: json.instructions ?? null,
    max_output_tokens: json.max_output_tokens ?? null,
    max_tool_calls: json.max_tool_calls ?? null,
    parallel_tool_calls: json.parallel_tool_calls ?? true,
    prompt_cache_key: json.prompt_cache_key ?? null,
    safety_identifier: json.safety_identifier ?? null,
    temperature: json.temperature ?? 1,
    tool_choice: json.tool_choice ?? 'auto',
    top_logprobs: json.top_logprobs ?? 0,
    top_p: json.top_p ?? 1,
    presence_penalty: json.presence_penalty ?? 0,
    frequency_penalty: json.frequency_penalty ?? 0,
    truncation: json.truncation ?? 'disabled',
    metadata: json.metadata ?? {},
    reasoning: { effort, summary },
    text: { ...said, format: said.format ?? { type: 'text' } },
    tools: Array.isArray(tools) ? tools.map(shownTool) : [],
    background: false,
    previous_response_id: null,
    service_tier: 'default',
    store: false,
    // The API knows no null here.
    ...(typeof user === 'string' ? { user } : {}),
  };
}

const UNSAID: Json = { description: null, parameters: null, strict: null };

/** A function as answers have it: they leave out nothing. */
function shownTool(tool: unknown): unknown {
  return isObject(tool) && tool.type === 'function' ? { ...UNSAID, ...tool } : tool;
}

/** @param repeated of `repeatedFields` */
export function responseBody(repeated: Json, meta: ReplyMeta, state: ResponseState): Json {
  return {
    id: itemId('resp', meta),
    object: 'response',
    created_at: meta.created,
    status: state.status,
    completed_at: state.completedAt,
    error: state.error ?? null,
    incomplete_details: state.incompleteFor ? { reason: state.incompleteFor } : null,
    model: meta.model,
    output: state.output,
    usage: state.usage,
    ...repeated,
  };
}

/** @param index of an item in its response */
export function itemId(prefix: string, { id }: ReplyMeta, index?: number): string {
  const own = id.replace(/^[a-z]+-/, '');
  return index === undefined ? `${prefix}_${own}` : `${prefix}_${own}_${index}`;
}

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

/** What an item of words holds, each in the one part of it. */
export type Spoken = 'message' | 'refusal' | 'reasoning';

export interface Words {
  readonly type: Spoken;
  readonly id: string;
  readonly text: string;
  readonly sources: readonly Source[];
}

/** @param part null before it has begun */
export function wordsItem(
  { type, id }: Pick<Words, 'type' | 'id'>,
  part: Json | null,
  status: ItemStatus,
): Json {
  const content = part === null ? [] : [part];
  if (type === 'reasoning') return { id, type, summary: [], content, status };
  return { id, type: 'message', status, role: 'assistant', content };
}

export function wordsPart({ type, text, sources }: Omit<Words, 'id'>): Json {
  const said = wellFormed(text);
  if (type === 'reasoning') return { type: 'reasoning_text', text: said };
  if (type === 'refusal') return { type, refusal: said };
  return { type: 'output_text', text: said, annotations: sources.map(annotation), logprobs: [] };
}

export function annotation({ url, title, from, to }: Source): Json {
  return { type: 'url_citation', url, title, start_index: from, end_index: to };
}

export interface Call {
  readonly id: string;
  readonly callId: string;
  readonly tool: NamedTool;
  /** Arguments of the function, as they came. */
  readonly json: string;
}

export function callItem({ id, callId, tool, json }: Call, status: ItemStatus): Json {
  const { type, name, namespace } = tool;
  const own = { id, call_id: callId, name, ...(namespace === null ? {} : { namespace }), status };
  return type === 'custom'
    ? { ...own, type: 'custom_tool_call', input: customInput(json) }
    : { ...own, type: 'function_call', arguments: json };
}
