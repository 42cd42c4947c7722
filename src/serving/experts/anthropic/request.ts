/**
 * A request → the body of a Messages request. Fields without a counterpart are refused if they would change the meaning
 * of the answer, and dropped if they only influence sampling (seed, penalties). The table is in docs/engines.md.
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
  readonly output_config?: {
    readonly effort?: string;
    readonly format?: { readonly type: 'json_schema'; readonly schema: object };
  };
  /** Always, so that one reader serves streaming clients and others. */
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
  /** The limit of answers whose request sets none, in tokens. */
  readonly maxTokens: number;
  readonly sampling: 'drop' | 'send';
}

export interface MessagesRequest {
  readonly body: MessagesBody;
  /** Stop sequences of white space alone: the API refuses them, so the router cuts the answer. */
  readonly blankStops: readonly string[];
}

/** Demands that a Messages request can express. */
export const MESSAGES_CAN: readonly Capability[] = ['a chosen tool', 'json schema'];

/** @throws RouterError 400 naming a field that is invalid or not supported */
export function messagesRequest(ask: Ask, settings: MessagesSettings): MessagesRequest {
  refuseUnmet(ask, MESSAGES_CAN);
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
    ...outputConfig(ask, settings.sampling === 'drop' ? parameters.effort : undefined),
    stream: true as const,
  };
  return { body, blankStops: stop.filter((one) => one.trim() === '') };
}

/** The API's temperature ends at 1, others' at 2: higher values are capped. */
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

/** Efforts below the API's lowest are its lowest; none at all is what it does unless asked. Models that take sampling parameters take no effort. */
function outputConfig(ask: Ask, asked: string | undefined): Pick<MessagesBody, 'output_config'> {
  const format = ask.format();
  const effort = asked === 'none' ? undefined : asked === 'minimal' ? 'low' : asked;
  if (format.type !== 'schema' && effort === undefined) return {};
  return {
    output_config: {
      ...(effort === undefined ? {} : { effort }),
      ...(format.type === 'schema' ? { format: { type: 'json_schema', schema: format.schema } } : {}),
    },
  };
}
