/** What dialects share whose answers are one JSON object that is no text: vectors, scores. Their errors are OpenAI's. */

import { tokenCount } from '../../core/token-count.ts';
import { plainText } from '../../deciding/text/routable.ts';
import { type Outcome, UNKNOWN_OUTCOME } from '../reply/reply.ts';
import type { Ending, Opening, Scanner } from '../reply/scanner.ts';
import { type Ask, AUTO, type RoutingFacts } from './ask.ts';
import type { Dialect, Json, JsonBody } from './dialect.ts';
import { forwardBody } from './forward.ts';
import { isObject, optional, parseJson } from './json.ts';
import { JsonSkim } from './json-skim.ts';
import { errorUnder200, refusal, writeError } from './openai/errors.ts';
import { sampledTurns } from './turns.ts';

type Shared = 'streaming' | 'writer' | 'prepare' | 'keep' | 'forward' | 'refusal' | 'error';

export const WHOLE: Pick<Dialect, Shared> = {
  streaming: null,
  writer: null,
  prepare: (bytes) => bytes,
  keep: () => ({}),
  forward: (ask, server) => forwardBody((ask as WholeAsk).received, server),
  refusal,
  error: writeError,
};

/** @param text what is classified; empty for none @throws RouterError `invalid_body` */
export function wholeFacts(json: Json, text: string): RoutingFacts {
  return aloneFacts(optional(json, 'model', 'string') || AUTO, text);
}

/** Of a request that belongs to no conversation. */
export function aloneFacts(model: string, text: string): RoutingFacts {
  return {
    model,
    session: null,
    stored: null,
    toolLoop: 'none',
    stream: false,
    turns: sampledTurns([plainText(text)]),
    affinityKey: null,
    // Nothing is generated: all that it takes is the prompt.
    answerLimit: 1,
  };
}

/** Its bytes are all that an expert gets. */
export class WholeAsk implements Ask {
  readonly dialect: Dialect;
  readonly model: string;
  readonly stream = false;
  readonly turns: RoutingFacts['turns'];
  readonly affinityKey = null;
  readonly session = null;
  readonly stored = null;
  readonly toolLoop = 'none';
  readonly answerLimit: number | null;
  readonly body: Buffer;
  readonly partial: boolean;
  readonly received: JsonBody;
  readonly otherwise?: Ask;

  constructor(dialect: Dialect, facts: RoutingFacts, received: JsonBody, otherwise?: Ask) {
    if (otherwise) this.otherwise = otherwise;
    this.dialect = dialect;
    this.model = facts.model;
    this.turns = facts.turns;
    this.answerLimit = facts.answerLimit;
    this.body = received.bytes;
    this.partial = received.partial;
    this.received = received;
  }

  check = none;
  prompt = none;
  parameters = none;
  tools = none;
  format = none;
  demands = none;
  wishes = none;
  unread = none;
  fieldOf = none;
}

function none(): never {
  throw new Error('A request whose answer is no text has nothing to translate.');
}

/** Larger answers are passed on as they come; an error is never as large. */
const MOST_HELD = 64 * 1024;

/**
 * @param member the list that every answer has
 * @param counted the member that tells its tokens
 */
export function wholeScanner(member: string, counted = 'usage'): Scanner {
  const skim = new JsonSkim([{ depth: 1, key: counted }]);
  let held: Buffer[] | null = [];
  let bytes = 0;
  return {
    done: false,
    push(piece): Opening {
      bytes += piece.length;
      skim.push(piece);
      held?.push(piece);
      if (bytes <= MOST_HELD) return 'silence';
      held = null;
      return 'content';
    },
    end(): Ending {
      if (bytes === 0) return { missing: 'it is empty' };
      if (held === null) {
        if (!skim.whole) return { missing: 'its JSON is not whole' };
        return outcomeOf(parseJson(skim.found.get(counted) ?? 'null'));
      }
      const json = Buffer.concat(held).toString('utf8');
      const value = parseJson(json);
      const error = errorUnder200(value, json);
      if (error) return error;
      if (!isObject(value)) return { missing: 'it is no JSON object' };
      if (!Array.isArray(value[member])) return { missing: `it has no ${member}` };
      return outcomeOf(value[counted]);
    },
  };
}

/** Some engines count no completion tokens, for there are none. */
function outcomeOf(usage: unknown): Outcome {
  const input = tokenCount(isObject(usage) ? (usage.prompt_tokens ?? usage.total_tokens) : usage);
  if (input === null) return UNKNOWN_OUTCOME;
  return { usage: { inputTokens: input, outputTokens: 0 }, finishReason: 'unknown' };
}
