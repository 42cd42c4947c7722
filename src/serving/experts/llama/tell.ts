/** Tells one answer: text, in which the model may begin to call a tool, or a call that it is held to. */
import type { Tool } from '../../dialects/ask.ts';
import type { Work } from '../running.ts';
import { type Constraint, callIn, callOfOne } from './constraint.ts';
import type { Sequence, Token } from './engine-api.ts';
import { type Ended, generate, type Job } from './generate.ts';
import type { LoadedModel } from './loaded-model.ts';
import { CALL } from './tools.ts';

export interface Telling {
  readonly loaded: LoadedModel;
  /** Borrowed. */
  readonly sequence: Sequence;
  readonly job: Job;
  readonly constraint: Constraint | null;
  /** That may be called. */
  readonly tools: readonly Tool[];
  /** With which a model writes a call that has not learned how; null to go on from the answer's text. */
  readonly callPrompt: (() => Token[]) | null;
  newCallId(): string;
}

export async function tell(telling: Telling, work: Work): Promise<void> {
  const { loaded, job, constraint, tools } = telling;
  if (constraint?.of === 'call') return call(telling, constraint.schema, job, 0, work);
  const grammar = constraint && (await loaded.grammar(constraint.schema));
  const stop = tools.length > 0 ? [...job.stop, CALL] : job.stop;
  let said = '';
  const spoken = await listened(telling, { ...job, stop, ...(grammar ? { grammar } : {}) }, work, (piece) => {
    said += piece;
    return work.reply.text(piece);
  });
  const { finishReason, usage, stopText } = spoken;
  if (tools.length === 0 || stopText !== CALL)
    return work.reply.finish(finishReason, usage, stopText ?? undefined);
  const prompt = telling.callPrompt?.() ?? [...job.prompt, ...loaded.model.tokenize(said + CALL, true)];
  const maxTokens = Math.min(job.maxTokens - usage.outputTokens, loaded.room - prompt.length);
  if (maxTokens <= 0) return work.reply.finish('length', usage);
  return call(telling, callOfOne(tools).schema, { ...job, prompt, maxTokens }, usage.outputTokens, work);
}

/** @param before tokens of the answer that came before it */
async function call(
  telling: Telling,
  schema: Constraint['schema'],
  job: Job,
  before: number,
  work: Work,
): Promise<void> {
  const grammar = await telling.loaded.grammar(schema);
  let json = '';
  const { prompt, maxTokens, sampling } = job;
  const held = { prompt, maxTokens, sampling, grammar, stop: [] };
  const { finishReason, usage } = await listened(telling, held, work, (piece) => {
    json += piece;
    return true;
  });
  const counted = {
    inputTokens: telling.job.prompt.length,
    outputTokens: before + usage.outputTokens,
  };
  const called = callIn(json);
  if (called === null) return work.reply.finish(finishReason, counted);
  work.reply.toolCall(telling.newCallId(), called.name);
  work.reply.toolArguments(called.arguments);
  work.reply.finish('tool calls', counted);
}

function listened(
  { loaded, sequence }: Telling,
  job: Job,
  work: Work,
  text: (piece: string) => boolean,
): Promise<Ended> {
  return generate(loaded.model, sequence, job, { signal: work.signal, text, drained: () => work.drained() });
}
