/** What every dialect's ask is made of: the facts that routing reads, and the body they were read from. */
import type { RoutableText } from '../../deciding/text/routable.ts';
import type {
  AnswerFormat,
  Ask,
  Demand,
  Inputs,
  Parameters,
  Prompt,
  RoutingFacts,
  Tools,
  Wish,
} from './ask.ts';
import type { Dialect, Json, JsonBody } from './dialect.ts';
import { checkShape, type Shape } from './shape.ts';

export abstract class ReadAsk implements Ask {
  readonly dialect: Dialect;
  readonly model: string;
  readonly stream: boolean;
  readonly turns: readonly RoutableText[];
  readonly affinityKey: string | null;
  readonly session: string | null;
  readonly stored: string | null;
  readonly toolLoop: RoutingFacts['toolLoop'];
  readonly answerLimit: number | null;
  readonly received: JsonBody;

  constructor(dialect: Dialect, facts: RoutingFacts, body: JsonBody) {
    this.dialect = dialect;
    this.model = facts.model;
    this.stream = facts.stream;
    this.turns = facts.turns;
    this.affinityKey = facts.affinityKey;
    this.session = facts.session;
    this.stored = facts.stored;
    this.toolLoop = facts.toolLoop;
    this.answerLimit = facts.answerLimit;
    this.received = body;
  }

  get body(): Buffer {
    return this.received.bytes;
  }

  get json(): Json {
    return this.received.json;
  }

  get partial(): boolean {
    return this.received.partial;
  }

  get inputs(): Inputs | undefined {
    return this.received.wanted?.inputs;
  }

  check(): void {
    checkShape(this.shape, this.json);
  }

  demands(): readonly Demand[] {
    return this.partial ? (this.received.wanted?.demands ?? []) : this.readDemands();
  }

  wishes(): readonly Wish[] {
    if (this.partial) return this.received.wanted?.wishes ?? [];
    const { thinkingField } = this;
    const format = this.readDemands().find(({ needs }) => needs === 'json' || needs === 'json schema');
    return [
      ...(this.toolLoop === 'none' ? [] : [{ needs: 'tools', param: 'tools' } as const]),
      ...(format ? [{ needs: 'structured_output', param: format.param } as const] : []),
      ...(thinkingField === null ? [] : [{ needs: 'thinking', param: thinkingField } as const]),
    ];
  }

  /** The field that asks for thinking; null for none. */
  protected abstract readonly thinkingField: string | null;

  /** Types of the fields. */
  protected abstract readonly shape: Shape;
  abstract prompt(): Prompt;
  abstract parameters(): Parameters;
  abstract tools(): Tools;
  abstract format(): AnswerFormat;
  protected abstract readDemands(): readonly Demand[];
  abstract unread(): readonly string[];
  abstract fieldOf(parameter: keyof Parameters): string;

  /** Top-level fields that hold something and are not among these. */
  protected fieldsBeside(read: ReadonlySet<string>): readonly string[] {
    const { json } = this;
    return Object.keys(json).filter((field) => !read.has(field) && json[field] !== null);
  }
}

/** Whether an effort is one. */
export function thinks(effort: unknown): boolean {
  return typeof effort === 'string' && effort !== '' && effort !== 'none';
}
