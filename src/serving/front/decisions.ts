/**
 * One question with a choice, answered by the router model: which expert suits a text, or in which cluster it lies. In the
 * words of OpenAI's decisions, or of System One. No expert is asked. Pure but for the routing itself.
 */
import type { RouterError } from '../../core/errors.ts';
import { excerpt } from '../../core/excerpt.ts';
import { AUTO } from '../dialects/ask.ts';
import type { Json } from '../dialects/dialect.ts';
import { invalid, isObject, optional, parseBody, unsupported } from '../dialects/json.ts';
import { openAiChat } from '../dialects/openai/chat.ts';
import type { Routed, Router } from '../gateway/router.ts';
import type { Limiter } from '../limits/limiter.ts';
import { type HashedKey, refuseModel } from './auth.ts';
import { refuseExperts } from './limiting.ts';

interface Question {
  /** Its name in OpenAI's form, null for none; its id in System One's. */
  readonly name: string | null;
  readonly at: string;
  readonly values: readonly string[];
}

/** Whose question it is. */
interface Asker {
  readonly caller: HashedKey | null;
  readonly limiter: Limiter | null;
}

/**
 * @throws RouterError `invalid_body`, `unsupported_parameter` for questions of other kinds, `model_not_found`, or
 *   `model_not_allowed` for a model or an expert that the key may not use
 */
export async function decided(router: Router, body: Buffer, { caller, limiter }: Asker): Promise<Json> {
  const json = parseBody(body);
  const systemOne = json.state !== undefined || isObject(json.questions);
  const question = systemOne ? readSystemOne(json) : readQuestion(json);
  const over = subjectOf(router, question);
  const model = modelOf(router, json);
  refuseModel({ model }, caller);
  if (over === 'experts') refuseExperts(question.values, caller, limiter);
  const routed = await routedText(router, json, { model, field: systemOne ? 'state' : 'input', body });
  const scores = over === 'experts' ? affinities(routed, question) : closeness(router, routed, question);
  const isClaimed = over === 'experts' && !router.territory.learned;
  const probabilities = isClaimed ? proportional(scores) : shares(scores, routed.classification.confidence);
  const best = scores.indexOf(Math.max(...scores));
  const answer = {
    type: 'choice',
    choice: question.values[best]!,
    confidence: rounded(probabilities[best]!),
  };
  const told = question.values.map((value, at) => [value, rounded(probabilities[at]!)] as const);
  return {
    model: router.model.id,
    answers: systemOne
      ? { [question.name!]: { ...answer, probabilities: Object.fromEntries(told) } }
      : [
          {
            ...answer,
            name: question.name,
            probabilities: told.map(([value, probability]) => ({ value, probability })),
          },
        ],
    // No language model has read or written anything.
    usage: { input_tokens: 0, output_tokens: 0, total_tokens: 0 },
  };
}

function readQuestion({ questions }: Json): Question {
  if (!Array.isArray(questions)) throw invalid('questions', 'must be a list');
  const [question, ...more] = questions as unknown[];
  if (more.length > 0 || question === undefined) throw onlyOne(questions.length);
  if (!isObject(question)) throw invalid('questions[0]', 'must be an object');
  refuseKind(question.type, 'questions[0].type');
  return {
    name: optional(question, 'name', 'string') ?? null,
    at: 'questions[0].choices',
    values: readValues(question.choices, 'questions[0].choices'),
  };
}

function readSystemOne({ questions }: Json): Question {
  if (!isObject(questions)) throw invalid('questions', 'must be an object');
  const [entry, ...more] = Object.entries(questions);
  if (more.length > 0 || entry === undefined) throw onlyOne(more.length + (entry ? 1 : 0));
  const [name, question] = entry;
  const at = `questions.${excerpt(name)}`;
  if (!isObject(question)) throw invalid(at, 'must be an object');
  refuseKind(question.type, `${at}.type`);
  const { criteria } = question;
  const values = isObject(criteria) ? Object.keys(criteria) : criteria;
  return { name, at: `${at}.criteria`, values: readValues(values, `${at}.criteria`) };
}

function onlyOne(count: number): RouterError {
  return invalid('questions', `must hold one question, not ${count}: a text has one place`);
}

function refuseKind(type: unknown, at: string): void {
  if (type === 'choice') return;
  if (typeof type !== 'string') throw invalid(at, "must be 'choice'");
  throw unsupported(
    at,
    `this router answers choices among its experts or clusters, and no question of type ${excerpt(type)}`,
  );
}

function readValues(choices: unknown, at: string): readonly string[] {
  if (!Array.isArray(choices)) throw invalid(at, 'must be a list of choices');
  const values = choices.map((choice: unknown, index) => {
    const value = isObject(choice) ? choice.value : choice;
    if (typeof value !== 'string' || value === '')
      throw invalid(`${at}[${index}]`, 'must have a value, a text');
    return value;
  });
  if (values.length === 0) throw invalid(at, 'is empty; offer at least one');
  if (new Set(values).size < values.length) throw invalid(at, 'names a choice twice');
  return values;
}

/** What the choices are: all of them experts, or all of them clusters. */
function subjectOf({ territory, model }: Router, { values, at }: Question): 'experts' | 'clusters' {
  if (values.every((value) => territory.experts.includes(value))) return 'experts';
  if (values.every((value) => clusterOf(model, value) >= 0)) return 'clusters';
  const stranger = values.find((value) => !territory.experts.includes(value) && clusterOf(model, value) < 0);
  throw unsupported(
    at,
    `${stranger === undefined ? 'they mix experts and clusters' : `'${excerpt(stranger)}' is no expert or cluster here`}, and the router model knows nothing else; the experts are ${territory.experts.join(', ')}`,
  );
}

/** By its name, or its number; -1 for none. */
function clusterOf({ names, clusters }: Router['model'], value: string): number {
  const named = names.indexOf(value);
  return named >= 0 || !/^\d{1,6}$/.test(value) || Number(value) >= clusters ? named : Number(value);
}

/** The router model itself may be named for what it chooses among. */
function modelOf(router: Router, json: Json): string {
  const asked = optional(json, 'model', 'string') || AUTO;
  return asked === router.model.id ? AUTO : asked;
}

async function routedText(
  router: Router,
  json: Json,
  {
    model,
    field,
    body,
  }: { readonly model: string; readonly field: 'input' | 'state'; readonly body: Buffer },
): Promise<Routed> {
  const said = json[field];
  if (typeof said !== 'string' && !Array.isArray(said))
    throw invalid(field, 'must be a text, or a list of messages');
  const messages = typeof said === 'string' ? [{ role: 'user', content: said }] : said;
  if (router.names.meaning(model)?.kind === 'expert')
    throw invalid('model', `must be ${AUTO}, an alias for a choice among experts, or ${router.model.id}`);
  // In the middle of a conversation nothing is tried for the sake of learning.
  const facts = {
    ...openAiChat.facts({ model, messages: spoken(messages, field) }),
    toolLoop: 'running' as const,
  };
  return router.route({ ...facts, body }, undefined);
}

/** Messages as chats have them; those of the Responses API differ in the names of their parts. */
function spoken(messages: readonly unknown[], field: string): readonly unknown[] {
  if (messages.length === 0) throw invalid(field, 'is empty; send at least one message');
  return messages.map((message, index) => {
    if (!isObject(message)) throw invalid(`${field}[${index}]`, 'must be an object');
    const { role = 'user', content } = message;
    if (!Array.isArray(content)) return { role, content };
    const parts = content.map((part: unknown) =>
      isObject(part) && part.type === 'input_text' ? { ...part, type: 'text' } : part,
    );
    return { role, content: parts };
  });
}

function affinities({ decision }: Routed, { values }: Question): readonly number[] {
  return values.map((value) => decision.ranking.find(({ expert }) => expert === value)?.affinity ?? 0);
}

function closeness({ model }: Router, { classification }: Routed, { values }: Question): readonly number[] {
  return values.map((value) => -classification.distances[clusterOf(model, value)]!);
}

/** Affinities are claims relative to the strongest; how stable a cluster is says nothing of two experts. Even shares of nothing. */
function proportional(affinities: readonly number[]): readonly number[] {
  const sum = affinities.reduce((a, b) => a + b, 0);
  return affinities.map((affinity) => (sum === 0 ? 1 / affinities.length : affinity / sum));
}

/**
 * Scores → probabilities: their softmax, as sharp as makes the best as probable as the calibrated confidence, or as its
 * equals allow.
 */
export function shares(scores: readonly number[], confidence: number): readonly number[] {
  const most = Math.max(...scores);
  const at = (sharpness: number): readonly number[] => {
    const weights = scores.map((score) => Math.exp(sharpness * (score - most)));
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / sum);
  };
  const best = scores.indexOf(most);
  let [low, high] = [0, SHARPEST];
  for (let step = 0; step < STEPS; step += 1) {
    const middle = (low + high) / 2;
    if (at(middle)[best]! < confidence) low = middle;
    else high = middle;
  }
  return at(low);
}

const SHARPEST = 1e4;
const STEPS = 40;

function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
