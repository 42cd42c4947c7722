/**
 * The kind `emulated`: deterministic text that says it is emulated, for trying the router without a model; it calls tools
 * and writes JSON as `conduct.ts` says. A token is a word with the white space after it.
 */
import { z } from 'zod';
import { describeError } from '../../../core/errors.ts';
import type { Ask } from '../../dialects/ask.ts';
import { isCounting, textsOf } from '../../dialects/counting.ts';
import { answerCount } from '../counted.ts';
import type { Expert } from '../expert.ts';
import type { ExpertDeps, ExpertKind } from '../kind.ts';
import { capabilities, spokenFor, writesText } from '../option-types.ts';
import { provedByAsking } from '../prove.ts';
import { RunningGenerations } from '../running.ts';
import { tellEmulated } from './answer.ts';
import { EMULATED_CAN } from './conduct.ts';
import { planInProcess, refuse } from './misbehave.ts';
import { wordCount } from './text.ts';
import { answerVectors } from './vectors.ts';

export const emulatedOptions = z.strictObject({
  tokens_per_second: z
    .number()
    .gt(0)
    .optional()
    .describe('pace of the answer; without it, at once')
    .meta({ examples: [20] }),
  capabilities: capabilities
    .optional()
    .describe(
      'what it answers, everything when absent; one that answers neither chat nor completions serves no cluster',
    )
    .meta({ examples: [['embeddings']] }),
  misbehaviour: z
    .string()
    .superRefine((list, context) => {
      try {
        planInProcess(list);
      } catch (error) {
        context.addIssue({ code: 'custom', message: describeError(error) });
      }
    })
    .optional()
    .describe(
      "what it does wrong, as 'expert-router emulate --help' lists: 503, stall-after=5, cut, no-usage",
    )
    .meta({ examples: ['stall-after=5, no-usage'] }),
});

export type EmulatedOptions = z.infer<typeof emulatedOptions>;

export const emulatedKind: ExpertKind<EmulatedOptions> = {
  kind: 'emulated',
  summary: 'answers with text that says it is emulated; needs no model',
  options: emulatedOptions,
  inProcess: false,
  admission: { maxConcurrent: Number.POSITIVE_INFINITY, firstTokenMs: 30_000 },
  create: async (id, options, deps) => emulatedExpert(id, options, deps),
};

function wordsOf(ask: Ask): number {
  ask.check();
  const tools = ask.tools().list.map((tool) => JSON.stringify(tool));
  return [...textsOf(ask), ...tools].reduce((sum, text) => sum + wordCount(text), 0);
}

function emulatedExpert(id: string, options: EmulatedOptions, deps: ExpertDeps): Expert {
  const running = new RunningGenerations(id);
  const plan = planInProcess(options.misbehaviour ?? '');
  const can = options.capabilities ?? capabilities.element.options;
  // Its tokens are words, so it counts them exactly.
  const speaks = spokenFor(can, ['anthropic-count-tokens', 'openai-input-tokens']);
  const manner = {
    expert: id,
    plan,
    pause: options.tokens_per_second ? 1000 / options.tokens_per_second : 0,
    newCallId: () => deps.newId('call').replace('-', '_'),
  };
  let closed = false;
  const expert: Expert = {
    id,
    kind: 'emulated',
    speaks,
    answersText: writesText(can),
    can: EMULATED_CAN,
    generate({ ask }, sink) {
      if (plan.instead !== null && typeof plan.instead === 'object' && !closed)
        return refuse(sink, plan.instead);
      const { dialect } = ask;
      if (isCounting(dialect) && !closed) return answerCount(dialect, () => wordsOf(ask), sink);
      if ((speaks as readonly string[]).includes(dialect.id) && !closed)
        return answerVectors(id, ask, deps.newId(dialect.idPrefix), sink);
      const meta = {
        id: deps.newId(ask.dialect.idPrefix),
        created: Math.floor(deps.now() / 1000),
        model: id,
      };
      return running.start(ask, sink, meta, (work) => tellEmulated(ask, work, manner));
    },
    health: async () =>
      closed ? { state: 'down', failure: { kind: 'closed' } } : { state: 'ready', detail: 'emulated' },
    close: () => {
      closed = true;
      return running.close();
    },
  };
  return expert.answersText ? { ...expert, prove: (signal) => provedByAsking(expert, signal) } : expert;
}
