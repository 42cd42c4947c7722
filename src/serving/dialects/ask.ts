/**
 * What a client asks, whatever its dialect. Relaying reads the routing facts alone; the methods parse the rest for
 * experts that translate. Names of the client's fields serve error messages only.
 */
import type { Pieces } from '../../core/pieces.ts';
import type { RoutableText } from '../../deciding/text/routable.ts';
import type { Failure, ToldFailure } from '../reply/failure.ts';
import type { AnswerSink, Reply, ReplyMeta } from '../reply/reply.ts';
import type { RawLane } from '../reply/scanner.ts';
import type { ServerNeeds } from './quirks.ts';

/** The model name that asks the router to choose; also what an absent name means. */
export const AUTO = 'auto';

/** What routing reads of a request: plain values, for they may come from another thread. */
export interface RoutingFacts {
  /** What the client asked for: `auto`, or an expert's id. */
  readonly model: string;
  readonly stream: boolean;
  /** What is classified, oldest turn first; at least one. */
  readonly turns: readonly RoutableText[];
  /** Equal for the turns of one conversation; null where there is none. */
  readonly affinityKey: string | null;
  /** The client's limit of the answer, in tokens; null without a usable one. */
  readonly answerLimit: number | null;
  /** The client's own name of the conversation, as the body gives it; null for none. Not checked, nor bounded. */
  readonly session: string | null;
  /** The field that refers to what one server keeps, such as an earlier response; null for none. */
  readonly stored: string | null;
  /** `running`: tools have answered since a person last spoke; `possible`: the model has tools to call. */
  readonly toolLoop: 'none' | 'possible' | 'running';
}

/** The part of a dialect that is needed once a request has been read: to pass it on, and to write what comes back. */
export interface AnswerForm extends RawLane {
  /** Experts name it in `speaks`. */
  readonly id: string;
  /** Where clients send its requests; the first is also where experts are asked, `/v1` being their base. */
  readonly paths: readonly [string, ...string[]];
  /** The prefix of its answers' ids. */
  readonly idPrefix: string;
  /** The body of one of its asks for a server that speaks it too. */
  forward(ask: Ask, server: ServerNeeds): Pieces;
  /** The body to try again with after such a server has refused it; null where nothing can be left out. */
  amended?(ask: Ask, server: ServerNeeds, refusal: ToldFailure): Pieces | null;
  /**
   * A typed reply → bytes in the sink, streamed or whole as requested. Null where an answer is no text (vectors, scores,
   * counts): then only experts that speak the dialect are asked.
   */
  readonly writer: ((ask: Ask, sink: AnswerSink) => Reply) | null;
  /**
   * The JSON of a whole answer → a typed reply; absent where servers are always asked for streams. False if it is no answer.
   * @throws ToldFailure for an error
   */
  whole?(json: string, reply: Reply): boolean;
  /** A whole answer in the words of the client, where it was asked for in another dialect's. */
  readonly rewritten?: (body: Buffer) => Buffer;
  /** The whole answer to a request that wants an expert to be there and nothing more; null for any other. */
  idle?(ask: Ask, meta: ReplyMeta): Buffer | null;
  /** Answers of different experts do not go together: unless the client names one, all come from the first that can. */
  readonly oneExpert?: true;
  /** Under which its API tells a request's id, beside `x-request-id`. */
  readonly requestIdHeader?: string;
  /** @param requestId of ours, for APIs whose errors bear one */
  error(failure: Failure, requestId?: string): ErrorAnswer;
}

/** An error as a whole answer. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Ask extends RoutingFacts {
  readonly dialect: AnswerForm;
  /** The body exactly as the client sent it. */
  readonly body: Buffer;
  /** Of its body; absent for JSON. */
  readonly contentType?: string;
  /** The same in another dialect's words, for experts that do not speak this one; absent where it is translated, or not at all. */
  readonly otherwise?: Ask;
  /** The body has too many values to be parsed whole: only an expert that relays its bytes can answer. */
  readonly partial: boolean;
  /** Whether every field has its type; relaying leaves that to the server. @throws RouterError naming one that has not */
  check(): void;
  /** What the prompt was made of, where `partial`; absent where that could not be read. */
  readonly inputs?: Inputs | undefined;
  /** @throws RouterError naming the invalid field; so do the methods below */
  prompt(): Prompt;
  parameters(): Parameters;
  tools(): Tools;
  format(): AnswerFormat;
  /** Capabilities this request needs that not every expert has. */
  demands(): readonly Demand[];
  /** What it asks of the model, which another may do better: what an expert's model is known to lack goes elsewhere. */
  wishes(): readonly Wish[];
  /** Fields of the request that none of these methods read, such as those that only servers of its dialect know. */
  unread(): readonly string[];
  /** A parameter's name in the client's dialect. */
  fieldOf(parameter: keyof Parameters): string;
}

/** `at`: the client's field that holds it. */
export type Prompt =
  | { readonly kind: 'conversation'; readonly at: string; readonly messages: readonly Message[] }
  | { readonly kind: 'text'; readonly at: string; readonly text: string };

export interface Message {
  /** `system`, `user`, `assistant` or `tool`; others as the client wrote them. */
  readonly role: string;
  readonly parts: readonly Part[];
  readonly at: string;
}

/** A part of a message. Null: missing or of a wrong type, for the expert to refuse or ignore. */
export type Part = TextPart | ImagePart | FilePart | ToolCallPart | ToolResultPart | ThinkingPart | OtherPart;

export interface TextPart {
  readonly type: 'text';
  readonly text: string;
}
export interface ImagePart {
  readonly type: 'image';
  /** An http(s) address, or `data:<type>;base64,<data>`. */
  readonly url: string | null;
  /** How closely to look: `low`, `high` and others. */
  readonly detail?: string;
  readonly at: string;
  readonly urlAt: string;
}
/** A document that is not plain text. */
export interface FilePart {
  readonly type: 'file';
  readonly name: string | null;
  /** `data:<type>;base64,<data>`. */
  readonly data: string | null;
  readonly url: string | null;
  /** By which the client's provider knows it. */
  readonly id: string | null;
  readonly at: string;
}
export interface ToolCallPart {
  readonly type: 'tool call';
  readonly id: string | null;
  readonly name: string | null;
  /** JSON as text. */
  readonly arguments: string | null;
  readonly at: string;
  readonly argumentsAt: string;
}
export interface ToolResultPart {
  readonly type: 'tool result';
  readonly id: string | null;
  readonly parts: readonly Part[];
  /** Whether the tool failed; absent where the dialect does not say. */
  readonly failed?: boolean;
  /** Of the id. */
  readonly at: string;
}
export interface ThinkingPart {
  readonly type: 'thinking';
  readonly text: string;
}
/** Sound, files and whatever else has no neutral form. */
export interface OtherPart {
  readonly type: 'other';
  /** As the client calls it. */
  readonly name: string;
  readonly at: string;
}

/** Undefined where the client said nothing. */
export interface Parameters {
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  readonly topK: number | undefined;
  readonly seed: number | undefined;
  readonly maxTokens: number | undefined;
  readonly repetitionPenalty: number | undefined;
  readonly frequencyPenalty: number;
  readonly presencePenalty: number;
  readonly stop: readonly string[];
  /** How much to think: `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`. */
  readonly effort: string | undefined;
}

export interface Tool {
  readonly name: string;
  readonly description: string | undefined;
  /** A JSON schema. */
  readonly parameters: object | undefined;
  readonly strict: boolean;
}

export interface Tools {
  readonly list: readonly Tool[];
  /** Null where the client left it to the model without saying so. */
  readonly choice:
    | { readonly type: 'auto' | 'none' | 'any' }
    | { readonly type: 'one'; readonly name: string }
    | null;
  /** Whether several may be called at once. */
  readonly parallel: boolean;
}

export type AnswerFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json' }
  | {
      readonly type: 'schema';
      readonly schema: object;
      readonly name?: string;
      readonly description?: string;
      readonly strict?: boolean;
    };

export type Capability =
  | 'several answers'
  | 'a chosen tool'
  | 'json'
  | 'json schema'
  | 'token probabilities'
  | 'token biases'
  | 'echo'
  | 'insertion'
  | 'audio'
  | 'a store';

export interface Demand {
  readonly needs: Capability;
  /** The field that demands it. */
  readonly param: string;
}

/** What models are told apart by. */
export const TRAITS = ['tools', 'structured_output', 'thinking'] as const;
export type Trait = (typeof TRAITS)[number];

export interface Wish {
  readonly needs: Trait;
  /** The field that wishes it. */
  readonly param: string;
}

export type Modality = 'text' | 'image' | 'audio';

/** What a prompt is made of. */
export interface Inputs {
  /** Beside text. */
  readonly modalities: readonly Modality[];
  /** Of its text, in UTF-8. */
  readonly bytes: number;
}

/** What is read of a body before most of it is left behind, as plain values. */
export interface Wanted {
  readonly inputs: Inputs;
  readonly demands: readonly Demand[];
  readonly wishes: readonly Wish[];
}
