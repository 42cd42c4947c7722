/** The choice for one request: text, classification, decision. The data path and the dry run call this same code. */

import { RouterError } from '../../core/errors.ts';
import { excerpt } from '../../core/excerpt.ts';
import { seededRandom } from '../../core/random.ts';
import { nearestName } from '../../core/suggest.ts';
import type { Classification } from '../../deciding/model/classify.ts';
import type { RouterModel } from '../../deciding/model/router-model.ts';
import { conversationHome } from '../../deciding/routing/conversation.ts';
import { type Decision, decide, decideFor, keptWith } from '../../deciding/routing/decide.ts';
import { explored } from '../../deciding/routing/exploration.ts';
import { keptAmong, type Locality } from '../../deciding/routing/locality.ts';
import type { BoundPolicy, LoadSnapshot, RequestView } from '../../deciding/routing/policy.ts';
import type { Territory } from '../../deciding/routing/territory.ts';
import { type Deidentifier, deidentified } from '../../deciding/text/identifiers/deidentify.ts';
import { RepeatedLines } from '../../deciding/text/repeated-lines.ts';
import { personsPart, type RoutableText } from '../../deciding/text/routable.ts';
import type { Ask } from '../dialects/ask.ts';
import { nothingStored } from '../dialects/json.ts';
import type { LeftOut } from './fitting.ts';
import type { Names } from './names.ts';
import { estimatedTokens } from './try.ts';
import { TurnCache } from './turn-cache.ts';

/** What is read of a request to route it. */
export interface Routable
  extends Pick<Ask, 'model' | 'turns' | 'affinityKey' | 'answerLimit' | 'body' | 'stored' | 'toolLoop'> {
  /** Whose it is, where there are keys. */
  readonly tenant?: string;
  /** The expert that is in the middle of its work on this; null for none. */
  readonly bound?: string | null;
  /** The expert that is remembered to have its conversation cached; null where its turns tell. */
  readonly livesAt?: string | null;
}

/** Tokens an answer is expected to have where nobody says less. */
const EXPECTED_OUTPUT = 256;

export interface Routed {
  /** Of the last user turn, with what its conversation adds. */
  readonly classification: Classification;
  readonly text: RoutableText;
  /** The user turns, oldest first; `text` is the last. */
  readonly turns: readonly RoutableText[];
  /** The name, such as `auto`, of the choice that was made; null where the client chose the expert. */
  readonly among: string | null;
  readonly decision: Decision;
  /** What policies see of the request. */
  readonly view: RequestView;
  /** Those that cannot answer it, and why; absent for none. */
  readonly leftOut?: readonly LeftOut[];
}

/** Who may be chosen, and how. */
export interface Choice {
  readonly territory: Territory;
  readonly policy: BoundPolicy;
  /** The load of each expert now, in the territory's order. */
  loads(): readonly LoadSnapshot[];
}

export interface RouterParts extends Choice {
  readonly model: RouterModel;
  readonly names: Names;
  /** Those of the names that choose among some experts, or by another policy; the parts above are `auto`. */
  readonly choices: ReadonlyMap<string, Choice>;
  readonly locality: Locality;
  /** Taken out of what is classified and shown; null for nothing. */
  readonly deidentify?: Deidentifier | null;
  /** Share of new conversations that try an expert which may be better than is known; none when absent. */
  readonly exploration?: number;
  /** Whether lines that stand in every message of a caller are taken for its program's; true when absent. */
  readonly repeatedLines?: boolean;
  /** The expert for what programs ask about conversations; chosen like for any other request where absent. */
  readonly sideRequests?: string | undefined;
  /** Milliseconds a whole request may take. */
  readonly requestTimeout: number;
  /** Uniform in [0, 1). */
  random(): number;
}

export class Router {
  readonly model: RouterModel;
  readonly territory: Territory;
  readonly names: Names;
  readonly #parts: RouterParts;
  readonly #turns: TurnCache;
  readonly #repeated: RepeatedLines | null;
  #sequence = 0;

  constructor(parts: RouterParts) {
    this.model = parts.model;
    this.territory = parts.territory;
    this.names = parts.names;
    this.#parts = parts;
    this.#turns = new TurnCache(parts.model);
    this.#repeated = parts.repeatedLines === false ? null : new RepeatedLines();
  }

  /**
   * A promise only where the model's embedding is asynchronous; it rejects when that fails. A request that names its expert is
   * classified too: its cluster may bind it to local experts, stands in the headers of its answer, and what is learned from
   * records would else know only the prompts that were routed.
   *
   * @param forced the expert a request header demands, which outranks the body's model name
   * @param priority -10 to 10, higher is more urgent
   * @param local why the request may go to local experts only, as in "its API key"; null where nothing but its cluster may say so
   * @throws RouterError `model_not_found` for a name that means nothing here; `not_local`
   */
  route(
    request: Routable,
    forced: string | undefined,
    priority = 0,
    local: string | null = null,
  ): Routed | Promise<Routed> {
    const turns = this.#read(request.turns, request.tenant ?? '');
    const choose = (classified: readonly Classification[]): Routed => {
      const view = this.#view(request, priority);
      return {
        classification: classified.at(-1)!,
        text: turns.at(-1)!,
        turns,
        among: this.#among(request.model, forced),
        decision: this.#keep(this.#decide(request, forced, turns, classified, view), classified, local),
        view,
      };
    };
    const classified = this.#turns.classify(turns);
    return classified instanceof Promise ? classified.then(choose) : choose(classified);
  }

  /**
   * The expert that a conversation belongs to by this model, whatever the loads.
   * @param among as `Routed` has it
   * @param livedAt the expert that has answered it so far; null at its beginning
   */
  home(turns: readonly RoutableText[], among: string, livedAt: string | null): string | Promise<string> {
    const { territory } = this.#parts.choices.get(among) ?? this.#parts;
    const lives = livedAt === null ? -1 : territory.experts.indexOf(livedAt);
    const of = (classified: readonly Classification[]): string =>
      territory.experts[conversationHome(territory, classified, lives < 0 ? null : lives).expert]!;
    const classified = this.#turns.classify(turns);
    return classified instanceof Promise ? classified.then(of) : of(classified);
  }

  /** What a decision is made of: no identifier goes on to classification, its answer or its record. */
  #read(turns: readonly RoutableText[], tenant: string): readonly RoutableText[] {
    const { deidentify } = this.#parts;
    const own = this.#repeated ? turns.map((turn) => personsPart(turn, this.#repeated!, tenant)) : turns;
    return deidentify ? own.map((turn) => deidentified(turn, deidentify)) : own;
  }

  #view(request: Routable, priority: number): RequestView {
    return {
      promptTokens: estimatedTokens(request.body.length),
      outputTokens: Math.min(request.answerLimit ?? EXPECTED_OUTPUT, EXPECTED_OUTPUT),
      prefixKey: request.affinityKey,
      priority,
      deadline: this.#parts.requestTimeout / 1000,
    };
  }

  #decide(
    { model, stored, bound, livesAt, toolLoop }: Routable,
    forced: string | undefined,
    texts: readonly RoutableText[],
    turns: readonly Classification[],
    request: RequestView,
  ): Decision {
    if (forced !== undefined) return decideFor(this.territory, this.#forced(forced), turns, 'forced');
    const meaning = this.names.meaning(model) ?? this.#unknown('model', model, this.names.listed);
    if (meaning.kind === 'expert') return decideFor(this.territory, meaning.expert, turns, 'named');
    if (stored !== null) throw nothingStored(stored);
    const { territory, policy, loads } = this.#parts.choices.get(meaning.name) ?? this.#parts;
    const { sideRequests } = this.#parts;
    if (texts.at(-1)!.side && sideRequests !== undefined && territory.experts.includes(sideRequests))
      return decideFor(territory, sideRequests, turns, 'side-request');
    const now = loads();
    const begins = toolLoop !== 'running' && (livesAt ?? null) === null;
    const tried = begins ? this.#explored(territory, turns, now) : null;
    if (tried !== null) return decideFor(territory, tried, turns, 'explored');
    const context = { request, random: this.#parts.random(), sequence: this.#sequence++ };
    const decision = decide(territory, turns, now, policy, { ...context, livesAt: livesAt ?? null });
    return bound ? keptWith(decision, bound) : decision;
  }

  #among(model: string, forced: string | undefined): string | null {
    const meaning = forced === undefined ? this.names.meaning(model) : null;
    return meaning?.kind === 'choice' ? meaning.name : null;
  }

  /** Only at the beginning of a conversation: later its prefix is cached where it is. */
  #explored(
    territory: Territory,
    turns: readonly Classification[],
    loads: readonly LoadSnapshot[],
  ): string | null {
    const { exploration = 0, random } = this.#parts;
    if (exploration === 0 || turns.length > 1 || random() >= exploration) return null;
    return explored(territory, turns[0]!, loads, seededRandom(Math.floor(random() * 2 ** 32)));
  }

  /** Where the request must stay, the decision among local experts. A conversation stays once one of its turns must. */
  #keep(decision: Decision, turns: readonly Classification[], local: string | null): Decision {
    const { locality } = this.#parts;
    const turn = turns.find(({ cluster }) => locality.clusters.has(cluster));
    const why = local ?? (turn ? `its cluster '${turn.name}'` : null);
    if (why === null) return decision;
    const kept = keptAmong(decision, locality.experts, 'local');
    if (kept !== null) return kept;
    const who = locality.experts.size === 0 ? 'no expert is' : `'${decision.expert}' is not`;
    throw new RouterError(
      'not_local',
      `This request may go to local experts only, because of ${why}, and ${who} marked as one (local: true in the config).`,
    );
  }

  #forced(expert: string): string {
    const { experts } = this.territory;
    return experts.includes(expert) ? expert : this.#unknown('expert', expert, experts);
  }

  #unknown(what: 'model' | 'expert', name: string, known: readonly string[]): never {
    const near = nearestName(name, known);
    throw new RouterError(
      'model_not_found',
      `There is no ${what} '${excerpt(name)}'${near ? `; did you mean '${near}'?` : '.'} Known: ${known.join(', ')}.`,
      { param: 'model' },
    );
  }
}
