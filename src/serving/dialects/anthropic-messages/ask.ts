/** A request for a message. */
import { wellFormed } from '../../../core/well-formed.ts';
import type { AnswerFormat, Demand, Message, Parameters, Prompt, Tools } from '../ask.ts';
import type { Json } from '../dialect.ts';
import { invalid, isObject, readNumber, readStops, textOrNull } from '../json.ts';
import { ReadAsk } from '../read-ask.ts';
import { withoutAttribution } from './attribution.ts';
import { readBlocks } from './blocks.ts';
import { MESSAGES_SHAPE } from './shape.ts';
import { readFormat, readTools } from './tools.ts';

const FIELDS: Readonly<Record<keyof Parameters, string>> = {
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  seed: 'seed',
  maxTokens: 'max_tokens',
  repetitionPenalty: 'repetition_penalty',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  stop: 'stop_sequences',
  effort: 'output_config.effort',
};

const READ = new Set([
  ...['model', 'max_tokens', 'messages', 'system', 'stream', 'temperature', 'top_p', 'top_k'],
  ...['stop_sequences', 'tools', 'tool_choice', 'thinking', 'output_config', 'output_format', 'metadata'],
]);

export class MessagesAsk extends ReadAsk {
  protected readonly shape = MESSAGES_SHAPE;

  protected get thinkingField(): string | null {
    return this.wantsThinking ? 'thinking' : null;
  }

  /** Whether the client reads thinking. */
  get wantsThinking(): boolean {
    const { thinking } = this.json;
    return isObject(thinking) && (thinking.type === 'enabled' || thinking.type === 'adaptive');
  }

  prompt(): Prompt {
    const { messages, system } = this.json;
    const own = systemOf(withoutAttribution(system));
    if (!Array.isArray(messages)) throw invalid('messages', 'must be a list');
    return {
      kind: 'conversation',
      at: 'messages',
      messages: [...own, ...messages.map((message: unknown, index) => messageOf(message, index))],
    };
  }

  parameters(): Parameters {
    const { json } = this;
    const effort = isObject(json.output_config) ? textOrNull(json.output_config.effort) : null;
    return {
      temperature: readNumber(json, 'temperature', 0, 1),
      topP: readNumber(json, 'top_p', 0, 1),
      topK: readNumber(json, 'top_k', 0, 1_000_000, true),
      seed: undefined,
      maxTokens: readNumber(json, 'max_tokens', 1, Number.MAX_SAFE_INTEGER, true),
      repetitionPenalty: undefined,
      frequencyPenalty: 0,
      presencePenalty: 0,
      stop: readStops(json, 'stop_sequences'),
      effort: effort ?? undefined,
    };
  }

  fieldOf(parameter: keyof Parameters): string {
    return FIELDS[parameter];
  }

  tools(): Tools {
    return readTools(this.json);
  }

  format(): AnswerFormat {
    return readFormat(this.json);
  }

  protected readDemands(): readonly Demand[] {
    const { choice } = this.tools();
    const chosen = choice?.type === 'any' || choice?.type === 'one';
    return [
      ...(chosen ? [{ needs: 'a chosen tool', param: 'tool_choice' } as const] : []),
      ...(this.format().type === 'schema'
        ? [{ needs: 'json schema', param: 'output_config.format' } as const]
        : []),
    ];
  }

  unread(): readonly string[] {
    return [...this.fieldsBeside(READ), ...readTools(this.json).leftOut];
  }
}

function systemOf(system: unknown): readonly Message[] {
  if (system === undefined || system === null || system === '') return [];
  if (typeof system === 'string')
    return [{ role: 'system', at: 'system', parts: [{ type: 'text', text: wellFormed(system) }] }];
  const parts = readBlocks(system, 'system');
  // Blocks are paragraphs; as one text they would run together.
  const joined = parts.map((part, index) =>
    part.type === 'text' && index < parts.length - 1 ? { ...part, text: `${part.text}\n\n` } : part,
  );
  return [{ role: 'system', at: 'system', parts: joined }];
}

function messageOf(value: unknown, index: number): Message {
  const at = `messages[${index}]`;
  const { role, content } = (isObject(value) ? value : {}) as Json;
  if (role !== 'user' && role !== 'assistant' && role !== 'system')
    throw invalid(`${at}.role`, 'must be user, assistant or system');
  return { role, at, parts: readBlocks(content, `${at}.content`) };
}
