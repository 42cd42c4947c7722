/**
 * The kind `emulated`: deterministic text that says it is emulated, for trying the router without a model. A token is a
 * word with the white space after it.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { describeError } from '../../../core/errors.ts';
import { refuseUnmet } from '../demands.ts';
import type { Expert } from '../expert.ts';
import type { ExpertDeps, ExpertKind } from '../kind.ts';
import { capabilities, untextual, writesText } from '../option-types.ts';
import { RunningGenerations } from '../running.ts';
import { lastText } from '../text-prompt.ts';
import { beforeAnswer, beforeToken, planInProcess, refuse } from './misbehave.ts';
import { emulate, emulatedText, words } from './text.ts';
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

function emulatedExpert(id: string, options: EmulatedOptions, deps: ExpertDeps): Expert {
  const running = new RunningGenerations(id);
  const pause = options.tokens_per_second ? 1000 / options.tokens_per_second : 0;
  const plan = planInProcess(options.misbehaviour ?? '');
  const can = options.capabilities ?? capabilities.element.options;
  const vectors = untextual(can);
  let closed = false;
  return {
    id,
    kind: 'emulated',
    speaks: vectors,
    answersText: writesText(can),
    generate({ ask }, sink) {
      if (plan.instead !== null && typeof plan.instead === 'object' && !closed)
        return refuse(sink, plan.instead);
      if (!closed && (vectors as readonly string[]).includes(ask.dialect.id))
        return answerVectors(id, ask, deps.newId(ask.dialect.idPrefix), sink);
      const meta = {
        id: deps.newId(ask.dialect.idPrefix),
        created: Math.floor(deps.now() / 1000),
        model: id,
      };
      return running.start(ask, sink, meta, async ({ reply, signal, drained }) => {
        await beforeAnswer(plan, signal);
        refuseUnmet(ask);
        const { maxTokens, stop } = ask.parameters();
        const prompt = lastText(ask);
        const answer = emulate(emulatedText(id, prompt), maxTokens, stop);
        for (const [said, piece] of answer.pieces.entries()) {
          await beforeToken(plan, said, signal);
          // Yields, so that other requests proceed and a cancel is noticed.
          await (pause > 0 ? sleep(pause, undefined, { signal }) : nextTurn(undefined, { signal }));
          if (!reply.text(piece)) await drained();
        }
        const usage = { inputTokens: words(prompt).length, outputTokens: answer.tokens };
        await beforeToken(plan, Number.POSITIVE_INFINITY, signal);
        reply.finish(answer.finishReason, plan.usage ? usage : 'unknown');
      });
    },
    health: async () =>
      closed ? { state: 'down', failure: { kind: 'closed' } } : { state: 'ready', detail: 'emulated' },
    close: () => {
      closed = true;
      return running.close();
    },
  };
}
