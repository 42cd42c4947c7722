/** To classify prompts and decide between experts without a server: nothing here does I/O but reading the model. */
import { fileURLToPath } from 'node:url';
import { seededRandom } from './core/random.ts';
import { type Classification, classify as classifyText } from './deciding/model/classify.ts';
import { type Explanation, explain as explainText } from './deciding/model/explain.ts';
import { DEFAULT_MODEL, loadModelFile } from './deciding/model/file.ts';
import type { RouterModel } from './deciding/model/router-model.ts';
import { type Decision, decide } from './deciding/routing/decide.ts';
import { type DescribedExpert, QUALITY_ALONE, territoryOf } from './deciding/routing/described.ts';
import { expectedScore, type Worth } from './deciding/routing/learned.ts';
import { spill } from './deciding/routing/policies/spill.ts';
import {
  type BoundPolicy,
  bindPolicy,
  idleLoad,
  type LoadSnapshot,
  type RequestView,
} from './deciding/routing/policy.ts';
import { type Deidentifier, deidentified } from './deciding/text/identifiers/deidentify.ts';
import type { RepeatedLines } from './deciding/text/repeated-lines.ts';
import { personsPart, promptText, type RoutableText, routableTurns } from './deciding/text/routable.ts';

export { UserError } from './core/errors.ts';
export { readRouterModel } from './deciding/model/artefact.ts';
export type { Classification } from './deciding/model/classify.ts';
export type { Explanation } from './deciding/model/explain.ts';
export type { RouterModel } from './deciding/model/router-model.ts';
export type { ClusterAssignment } from './deciding/routing/assignment.ts';
export type { Decision, Ranked, Reason } from './deciding/routing/decide.ts';
export { assignExperts, type DescribedExpert } from './deciding/routing/described.ts';
export type { Worth } from './deciding/routing/learned.ts';

/** A message of a chat; content of several parts is read where it is text. */
export interface Message {
  readonly role: string;
  readonly content: string | readonly { readonly type: string; readonly text?: string }[] | null;
}

/** A prompt, or a conversation whose last user turn is what it is about. */
export type Prompt = string | readonly Message[];

/**
 * Reads a router model; the one that ships when no file is named.
 * @throws UserError when the file cannot be read or is no router model
 * @example
 * const model = await loadRouterModel('my.router.safetensors');
 */
export function loadRouterModel(file: string | URL = DEFAULT_MODEL): Promise<RouterModel> {
  return loadModelFile(file instanceof URL ? fileURLToPath(file) : file);
}

/**
 * The cluster of a prompt: how near, how clear, and whether the prompt is like anything known. Never throws, for any
 * text; takes well under a millisecond.
 * @example
 * const { name, confidence, outside } = classify(model, 'Reverse a list in Python');
 */
export function classify(model: RouterModel, prompt: Prompt): Classification {
  return classifyText(model, turnsOf(prompt).at(-1)!);
}

/**
 * The words that spoke for the chosen cluster and against it, each with its share of the lead over the runner-up.
 * @param limit words for, and as many against, at most
 * @example
 * for (const one of explain(model, 'Reverse a list in Python').for) console.log(one);
 */
export function explain(model: RouterModel, prompt: Prompt, limit = 8): Explanation {
  const text = turnsOf(prompt).at(-1)!;
  return explainText(model, text, classifyText(model, text), limit);
}

export interface RouterOptions {
  readonly model: RouterModel;
  /** Which clusters each serves follows from what is said of it, as in a config. */
  readonly experts: readonly DescribedExpert[];
  /** `spill` with its defaults when absent; the entry point `policy` has `bindPolicy`. */
  readonly policy?: BoundPolicy;
  /** Takes identifiers out of prompts before they are classified; nothing when absent. */
  readonly deidentify?: Deidentifier | null;
  /** Remembers lines that programs put into every message; nothing is remembered when absent. */
  readonly repeated?: RepeatedLines | null;
  /** What an expert's price counts where the model learned from scores; nothing when absent. */
  readonly worth?: Worth;
  /** Uniform in [0, 1), for policies that draw; seeded with 1 when absent, so that equal runs are equal. */
  readonly random?: () => number;
}

export interface Circumstances {
  /** One load for each expert, in their order; idle ones when absent. */
  readonly loads?: readonly LoadSnapshot[];
  /** What is known of the request; of the rest, what a plain request has. */
  readonly request?: Partial<RequestView>;
}

export interface PromptDecision extends Decision {
  /** Of the last user turn. */
  readonly classification: Classification;
  /** What the chosen expert is expected to score, 0 to 1; null where the model learned no scores of it. */
  readonly expectedScore: number | null;
}

export interface PromptRouter {
  /** Which expert, why, and who comes next. */
  decide(prompt: Prompt, circumstances?: Circumstances): PromptDecision;
}

/**
 * Decides as the gateway does, by the same code: which expert a prompt goes to. For models whose embedding answers at
 * once, as the one that ships; `decide` throws a TypeError for others.
 * @throws UserError for a cluster that does not exist or that two experts claim
 * @example
 * const router = await createRouter({
 *   model: await loadRouterModel(),
 *   experts: [
 *     { id: 'code', description: 'Writes and explains programs' },
 *     { id: 'general', description: 'Answers everyday questions', fallback: true },
 *   ],
 * });
 * const { expert, reason } = router.decide('Reverse a list in Python');
 */
export async function createRouter({
  model,
  experts,
  policy = bindPolicy(spill),
  worth = QUALITY_ALONE,
  deidentify = null,
  repeated = null,
  random,
}: RouterOptions): Promise<PromptRouter> {
  const territory = await territoryOf(model, experts, worth);
  const idle = experts.map(() => idleLoad);
  const seeded = seededRandom(1);
  const draw = random ?? (() => seeded.next());
  let sequence = 0;
  return {
    decide: (prompt, { loads = idle, request = {} } = {}) => {
      const classified = turnsOf(prompt).map((turn) => {
        const own = repeated ? personsPart(turn, repeated, '') : turn;
        return classifyText(model, deidentify ? deidentified(own, deidentify) : own);
      });
      const context = { request: { ...plainRequest(prompt), ...request }, random: draw(), sequence };
      sequence += 1;
      const decision = decide(territory, classified, loads, policy, context);
      const classification = classified.at(-1)!;
      return {
        ...decision,
        classification,
        expectedScore: expectedScore(territory.learned, classification.vector, decision.expert),
      };
    },
  };
}

/** Four characters of text are a token, roughly, and an answer is expected to have 256. */
function plainRequest(prompt: Prompt): RequestView {
  const characters = typeof prompt === 'string' ? prompt.length : JSON.stringify(prompt).length;
  return {
    promptTokens: Math.ceil(characters / 4),
    outputTokens: 256,
    prefixKey: null,
    priority: 0,
    deadline: Number.POSITIVE_INFINITY,
  };
}

function turnsOf(prompt: Prompt): readonly RoutableText[] {
  if (typeof prompt === 'string') return [promptText(prompt)];
  return routableTurns('chat', { messages: prompt as never });
}
