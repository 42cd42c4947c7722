/**
 * A request → the body of a Messages request. What would change the meaning of the answer and has no counterpart is
 * refused; what only leans the choice of words (seed, penalties) is dropped. docs/engines.md has the table.
 */
import type { Ask, Capability, Parameters, Tools } from '../../dialects/ask.ts';
import { refuseUnmet } from '../demands.ts';
import { conversationOf, type Turn } from './turns.ts';

export interface MessagesBody extends ToolFields {
  readonly model: string;
  readonly max_tokens: number;
  readonly messages: readonly Turn[];
  readonly system?: string;
  readonly stop_sequences?: readonly string[];
  readonly temperature?: number;
  readonly top_p?: number;
  readonly top_k?: number;
  readonly output_config?: { readonly format: { readonly type: 'json_schema'; readonly schema: object } };
  /** Always: one way of reading answers serves both kinds of client. */
  readonly stream: true;
}

interface Tool {
  readonly name: string;
  readonly description?: string;
  readonly input_schema: object;
  readonly strict?: true;
}

interface ToolChoice {
  readonly type: 'auto' | 'any' | 'none' | 'tool';
  readonly name?: string;
  readonly disable_parallel_tool_use?: true;
}

interface ToolFields {
  readonly tools?: readonly Tool[];
  readonly tool_choice?: ToolChoice;
}

export interface MessagesSettings {
  readonly model: string;
  /** Longest answer where the request names no limit, in tokens. */
  readonly maxTokens: number;
  readonly sampling: 'drop' | 'send';
}

export interface MessagesRequest {
  readonly body: MessagesBody;
  /** Stop sequences of white space alone, which the API refuses; the answer is to be cut here. */
  readonly blankStops: readonly string[];
}

const CAN: readonly Capability[] = ['a chosen tool', 'json schema'];

/** @throws RouterError 400 for what is wrong or cannot be honoured, naming the field */
export function messagesRequest(ask: Ask, settings: MessagesSettings): MessagesRequest {
  refuseUnmet(ask, CAN);
  const { system, turns } = conversationOf(ask.prompt());
  const parameters = ask.parameters();
  const { stop } = parameters;
  const sequences = stop.filter((one) => one.trim() !== '');
  const body = {
    model: settings.model,
    max_tokens: parameters.maxTokens ?? settings.maxTokens,
    ...(system === undefined ? {} : { system }),
    messages: turns,
    ...(sequences.length > 0 ? { stop_sequences: sequences } : {}),
    ...(settings.sampling === 'send' ? sampling(parameters) : {}),
    ...toolFields(ask.tools()),
    ...outputFormat(ask),
    stream: true as const,
  };
  return { body, blankStops: stop.filter((one) => one.trim() === '') };
}

/** Temperature goes to 2 elsewhere and to 1 in the API; above that it is as random as it gets. */
function sampling({ temperature, topP, topK }: Parameters): Partial<MessagesBody> {
  return {
    ...(temperature === undefined ? {} : { temperature: Math.min(temperature, 1) }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(topK ? { top_k: topK } : {}),
  };
}

function toolFields({ list, choice, parallel }: Tools): ToolFields {
  if (list.length === 0) return {};
  const tool_choice = choiceOf(choice, parallel);
  return {
    tools: list.map(({ name, description, parameters, strict }) => ({
      name,
      ...(description === undefined ? {} : { description }),
      input_schema: { type: 'object', ...parameters },
      ...(strict ? { strict } : {}),
    })),
    ...(tool_choice ? { tool_choice } : {}),
  };
}

function choiceOf(choice: Tools['choice'], parallel: boolean): ToolChoice | undefined {
  const one = parallel ? {} : ({ disable_parallel_tool_use: true } as const);
  switch (choice?.type) {
    case 'none':
      return { type: 'none' };
    case 'any':
      return { type: 'any', ...one };
    case 'one':
      return { type: 'tool', name: choice.name, ...one };
    default:
      return parallel ? undefined : { type: 'auto', ...one };
  }
}

function outputFormat(ask: Ask): Pick<MessagesBody, 'output_config'> {
  const format = ask.format();
  return format.type === 'schema'
    ? { output_config: { format: { type: 'json_schema', schema: format.schema } } }
    : {};
}
