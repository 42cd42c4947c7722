/**
 * What the Messages and Responses APIs say an answer holds, field by field: strict readers of events and bodies. The
 * rules are those of the APIs' documents, not of the writers.
 */
import { z } from 'zod';

const text = z.string();
const count = z.int().nonnegative();
const index = z.int().nonnegative();
const object = z.record(z.string(), z.unknown());

// Anthropic's Messages API

const messageUsage = z.looseObject({ input_tokens: count, output_tokens: count });
const block = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text'), text }),
  z.looseObject({ type: z.literal('thinking'), thinking: text, signature: text }),
  z.looseObject({
    type: z.literal('tool_use'),
    id: z.string().regex(/^[a-zA-Z0-9_-]+$/),
    name: z.string().min(1),
    input: object,
  }),
]);
const stopReason = z.enum(['end_turn', 'max_tokens', 'stop_sequence', 'tool_use', 'pause_turn', 'refusal']);
const message = z.looseObject({
  id: z.string().startsWith('msg_'),
  type: z.literal('message'),
  role: z.literal('assistant'),
  model: z.string().min(1),
  content: z.array(block),
  stop_reason: stopReason.nullable(),
  stop_sequence: text.nullable(),
  usage: messageUsage,
});
export const wholeMessage = message.extend({ stop_reason: stopReason });

const MESSAGE_EVENTS: Readonly<Record<string, z.ZodType>> = {
  ping: z.strictObject({ type: text }),
  message_start: z.strictObject({
    type: text,
    message: message.extend({ content: z.array(block).length(0), stop_reason: z.null() }),
  }),
  content_block_start: z.strictObject({ type: text, index, content_block: block }),
  content_block_delta: z.strictObject({
    type: text,
    index,
    delta: z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('text_delta'), text: z.string().min(1) }),
      z.strictObject({ type: z.literal('input_json_delta'), partial_json: text }),
      z.strictObject({ type: z.literal('thinking_delta'), thinking: z.string().min(1) }),
      z.strictObject({ type: z.literal('signature_delta'), signature: z.string().min(1) }),
    ]),
  }),
  content_block_stop: z.strictObject({ type: text, index }),
  message_delta: z.strictObject({
    type: text,
    delta: z.looseObject({ stop_reason: stopReason, stop_sequence: text.nullable() }),
    usage: z.looseObject({ output_tokens: count }),
  }),
  message_stop: z.strictObject({ type: text }),
};

export const messageError = z.strictObject({
  type: z.literal('error'),
  error: z.looseObject({ type: z.string().endsWith('_error'), message: text }),
  request_id: text.nullable(),
});

// OpenAI's Responses API

const status = z.enum(['completed', 'failed', 'in_progress', 'cancelled', 'queued', 'incomplete']);
const itemStatus = z.enum(['in_progress', 'completed', 'incomplete']);
const outputText = z.looseObject({
  type: z.literal('output_text'),
  text,
  annotations: z.array(z.unknown()),
  logprobs: z.array(z.unknown()),
});
const reasoningText = z.looseObject({ type: z.literal('reasoning_text'), text });
const item = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('message'),
    id: text,
    role: z.literal('assistant'),
    status: itemStatus,
    content: z.array(outputText),
  }),
  z.looseObject({ type: z.literal('reasoning'), id: text, summary: z.array(z.unknown()) }),
  z.looseObject({
    type: z.literal('function_call'),
    call_id: text,
    name: z.string().min(1),
    arguments: text,
  }),
  z.looseObject({ type: z.literal('custom_tool_call'), call_id: text, name: z.string().min(1), input: text }),
]);
const responseUsage = z.strictObject({
  input_tokens: count,
  input_tokens_details: z.strictObject({ cached_tokens: count, cache_write_tokens: count }),
  output_tokens: count,
  output_tokens_details: z.strictObject({ reasoning_tokens: count }),
  total_tokens: count,
});
export const response = z.looseObject({
  id: z.string().startsWith('resp_'),
  object: z.literal('response'),
  created_at: z.number(),
  status,
  error: z.looseObject({ code: text, message: text }).nullable(),
  incomplete_details: z.looseObject({ reason: z.enum(['max_output_tokens', 'content_filter']) }).nullable(),
  instructions: z.unknown(),
  model: text,
  tools: z.array(object),
  output: z.array(item),
  parallel_tool_calls: z.boolean(),
  metadata: object,
  tool_choice: z.unknown(),
  temperature: z.number().nullable(),
  top_p: z.number().nullable(),
  store: z.literal(false),
  usage: responseUsage.nullable(),
});

const sequenced = { type: text, sequence_number: index };
const inItem = { ...sequenced, item_id: text, output_index: index };
const inPart = { ...inItem, content_index: index };
const part = z.union([outputText, reasoningText]);
const RESPONSE_EVENTS: Readonly<Record<string, z.ZodType>> = {
  ...Object.fromEntries(
    ['created', 'in_progress', 'completed', 'failed', 'incomplete'].map((name) => [
      `response.${name}`,
      z.strictObject({ ...sequenced, response }),
    ]),
  ),
  'response.output_item.added': z.strictObject({ ...sequenced, output_index: index, item }),
  'response.output_item.done': z.strictObject({ ...sequenced, output_index: index, item }),
  'response.content_part.added': z.strictObject({ ...inPart, part }),
  'response.content_part.done': z.strictObject({ ...inPart, part }),
  'response.output_text.delta': z.strictObject({ ...inPart, delta: text, logprobs: z.array(z.unknown()) }),
  'response.output_text.done': z.strictObject({ ...inPart, text, logprobs: z.array(z.unknown()) }),
  'response.function_call_arguments.delta': z.strictObject({ ...inItem, delta: text }),
  'response.function_call_arguments.done': z.strictObject({ ...inItem, name: text, arguments: text }),
  'response.custom_tool_call_input.delta': z.strictObject({ ...inItem, delta: text }),
  'response.custom_tool_call_input.done': z.strictObject({ ...inItem, input: text }),
  'response.reasoning_text.delta': z.strictObject({ ...inPart, delta: text }),
  'response.reasoning_text.done': z.strictObject({ ...inPart, text }),
  error: z.strictObject({ ...sequenced, code: text, message: text, param: text.nullable() }),
};

// biome-ignore lint/suspicious/noExplicitAny: events of every kind
export type Event = any;

/** Reads a stream whose events must each be named, be named in their data too, and hold what the rules say. */
function eventsBy(rules: Readonly<Record<string, z.ZodType>>, stream: string): Event[] {
  const pieces = stream.split('\n\n');
  if (pieces.pop() !== '') throw new Error('the stream does not end with an event');
  return pieces
    .filter((piece) => !piece.startsWith(':'))
    .map((piece) => {
      const [first, second, ...more] = piece.split('\n') as [string, string];
      const name = /^event: (.+)$/.exec(first)?.[1];
      const data = JSON.parse(/^data: (.+)$/.exec(second)![1]!) as Event;
      const rule = rules[name ?? ''];
      if (more.length > 0 || rule === undefined || data.type !== name)
        throw new Error(`unknown event: ${piece}`);
      const read = rule.safeParse(data);
      if (!read.success) throw new Error(`${piece}\n${z.prettifyError(read.error)}`);
      return data;
    });
}

/** @throws for a stream that no Messages server would send */
export function messageEvents(stream: string): Event[] {
  const all = eventsBy({ ...MESSAGE_EVENTS, error: messageError }, stream);
  const events = all.filter(({ type }) => type !== 'ping');
  const order = events.map(({ type }) => SHORT[type as string]).join('');
  // A start, whole blocks one after another, and the end; or a start and an error.
  if (!/^s(bd*e)*(DS)$|^(s(bd*e)*(bd*)?)?E$/.test(order)) throw new Error(`events in the order ${order}`);
  let blocks = -1;
  for (const { type, index: at } of events) {
    if (type === 'content_block_start') blocks += 1;
    if (at !== undefined && at !== blocks) throw new Error(`${type} of block ${at} within block ${blocks}`);
  }
  return all;
}

const SHORT: Readonly<Record<string, string>> = {
  message_start: 's',
  content_block_start: 'b',
  content_block_delta: 'd',
  content_block_stop: 'e',
  message_delta: 'D',
  message_stop: 'S',
  error: 'E',
};

/** @throws for a stream that no Responses server would send */
export function responseEvents(stream: string): Event[] {
  const events = eventsBy(RESPONSE_EVENTS, stream);
  let last = -1;
  for (const { sequence_number: number } of events) {
    if (number <= last) throw new Error(`event ${number} after event ${last}`);
    last = number;
  }
  const kinds = events.map(({ type }) => type.replace('response.', ''));
  if (kinds[0] !== 'created' || kinds[1] !== 'in_progress') throw new Error(`it begins with ${kinds[0]}`);
  const end = kinds.filter((kind) => /^(completed|incomplete|failed|error)$/.test(kind)).join(' ');
  if (!/^(completed|incomplete|failed error|error)$/.test(end)) throw new Error(`it ends with ${end}`);
  checkItems(events);
  return events;
}

/** Items come one after another, each added and done, as do the parts in them; what is done is the sum of its pieces. */
function checkItems(events: readonly Event[]): void {
  let open: { id: string; at: number; pieces: string } | null = null;
  let items = 0;
  for (const event of events) {
    const { type, item: own } = event;
    if (type === 'response.output_item.added') {
      if (open !== null || event.output_index !== items) throw new Error('an item within another');
      open = { id: own.id, at: items, pieces: '' };
    } else if (type === 'response.output_item.done') {
      if (open?.id !== own.id) throw new Error('another item is done than was added');
      open = null;
      items += 1;
    } else if ('item_id' in event) open = { ...open!, pieces: piecesWith(event, open) };
  }
}

/** What has come of an item, with this event of it. */
function piecesWith(event: Event, open: { id: string; at: number; pieces: string } | null): string {
  const { type, item_id: id, output_index: at, delta = '' } = event;
  if (open?.id !== id || open?.at !== at) throw new Error(`${type} outside of its item`);
  const pieces = open!.pieces + delta;
  checkSum(event, pieces);
  return pieces;
}

function checkSum({ type, text: whole, arguments: json, input }: Event, pieces: string): void {
  const told = whole ?? json ?? input;
  if (type.endsWith('.done') && told !== undefined && told !== pieces)
    throw new Error(`${type}: ${told} is not ${pieces}`);
}
