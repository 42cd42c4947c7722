/**
 * The choice for one request: text, classification, decision. The data path and the dry run call this same
 * code; it holds the router model and the experts' territory, and speaks to nobody.
 */

import { RouterError } from '../../core/errors.ts';
import type { MessageContent } from '../../core/openai.ts';
import { nearestName } from '../../core/suggest.ts';
import { type Classification, classifyAll } from '../../deciding/model/classify.ts';
import type { RouterModel } from '../../deciding/model/router-model.ts';
import { type Decision, decide, decideFor } from '../../deciding/routing/decide.ts';
import type { LoadSnapshot, Policy } from '../../deciding/routing/policy.ts';
import type { Territory } from '../../deciding/routing/territory.ts';
import { type RoutableText, routableTurns } from '../../deciding/text/routable.ts';
import { AUTO, type ParsedRequest } from './request.ts';

export interface Routed {
  /** Of the last user turn, with what its conversation adds. */
  readonly classification: Classification;
  readonly text: RoutableText;
  readonly decision: Decision;
  /** Equal for the turns of one conversation, so that they can go to the replica that has its prefix cached. */
  readonly affinityKey: string | null;
}

export interface RouterParts {
  readonly model: RouterModel;
  readonly territory: Territory;
  readonly policy: Policy;
  /** Seconds of waiting worth one unit of affinity, for policies that trade the two. */
  readonly secondsPerAffinity: number;
  /** The load of each expert now, in the territory's order. */
  loads(): readonly LoadSnapshot[];
  /** Uniform in [0, 1). */
  random(): number;
}

export class Router {
  readonly model: RouterModel;
  readonly territory: Territory;
  readonly #parts: RouterParts;
  #sequence = 0;

  constructor(parts: RouterParts) {
    this.model = parts.model;
    this.territory = parts.territory;
    this.#parts = parts;
  }

  /**
   * A promise only where the model's embedding is asynchronous; it rejects when that fails.
   *
   * @param forced the expert a request header demands, which outranks the body's model name
   * @throws RouterError `model_not_found` for a name that is neither `auto` nor an expert
   */
  route(request: ParsedRequest, forced: string | undefined): Routed | Promise<Routed> {
    const turns =
      request.endpoint === 'chat'
        ? routableTurns('chat', request.json)
        : routableTurns('completions', request.json);
    const choose = (classified: readonly Classification[]): Routed => ({
      classification: classified.at(-1)!,
      text: turns.at(-1)!,
      decision: this.#decide(request.model, forced, classified),
      affinityKey: conversationKey(request),
    });
    const classified = classifyAll(this.model, turns);
    return classified instanceof Promise ? classified.then(choose) : choose(classified);
  }

  #decide(model: string, forced: string | undefined, turns: readonly Classification[]): Decision {
    if (forced !== undefined) return decideFor(this.territory, this.#known(forced), turns, 'forced');
    if (model !== AUTO) return decideFor(this.territory, this.#known(model), turns, 'named');
    const { policy, loads, random, secondsPerAffinity } = this.#parts;
    const context = { random: random(), sequence: this.#sequence++, secondsPerAffinity };
    return decide(this.territory, turns, loads(), policy, context);
  }

  #known(expert: string): string {
    const { experts } = this.territory;
    if (experts.includes(expert)) return expert;
    const near = nearestName(expert, experts);
    throw new RouterError(
      'model_not_found',
      `There is no expert '${expert}'${near ? `; did you mean '${near}'?` : '.'} Known: ${AUTO}, ${experts.join(', ')}.`,
      { param: 'model' },
    );
  }
}

/** How much of a conversation's beginning tells it apart from others. */
const KEY_CHARACTERS = 512;

/** The beginning of the first messages: it stays the same while a conversation grows, as its cached prefix does. */
function conversationKey(request: ParsedRequest): string | null {
  if (request.endpoint === 'completions') return null;
  let key = '';
  for (const { role, content } of request.json.messages.slice(0, 2)) {
    key += `${role}:${beginningOf(content)}\n`;
    if (role === 'user') break;
  }
  return key;
}

function beginningOf(content: MessageContent): string {
  if (typeof content === 'string') return content.slice(0, KEY_CHARACTERS);
  const text = content?.find((part) => typeof part.text === 'string')?.text;
  return typeof text === 'string' ? text.slice(0, KEY_CHARACTERS) : '';
}
