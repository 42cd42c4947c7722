/**
 * The kind `emulated`: deterministic text that says it is emulated, for trying the router without a model; it calls tools
 * and writes JSON as `conduct.ts` says. A token is a word with the white space after it.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { describeError } from '../../../core/errors.ts';
import type { Ask, Capability } from '../../dialects/ask.ts';
import { isCounting, textsOf } from '../../dialects/counting.ts';
import { answerCount } from '../counted.ts';
import { refuseUnmet } from '../demands.ts';
import type { Expert } from '../expert.ts';
import type { ExpertDeps, ExpertKind } from '../kind.ts';
import { RunningGenerations } from '../running.ts';
import { lastText } from '../text-prompt.ts';
import { conductOf } from './conduct.ts';
import { beforeAnswer, beforeToken, planInProcess, refuse } from './misbehave.ts';
import { emulate, words } from './text.ts';

export const emulatedOptions = z.strictObject({
  tokens_per_second: z
    .number()
    .gt(0)
    .optional()
    .describe('pace of the answer; without it, at once')
    .meta({ examples: [20] }),
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

const CAN: readonly Capability[] = ['a chosen tool', 'json', 'json schema'];
const THOUGHT = 'The emulated expert pretends to think about this.';

function wordsOf(ask: Ask): number {
  const tools = ask.tools().list.map((tool) => JSON.stringify(tool));
  return [...textsOf(ask), ...tools].reduce((sum, text) => sum + words(text).length, 0);
}

function emulatedExpert(id: string, options: EmulatedOptions, deps: ExpertDeps): Expert {
  const running = new RunningGenerations(id);
  const pause = options.tokens_per_second ? 1000 / options.tokens_per_second : 0;
  const plan = planInProcess(options.misbehaviour ?? '');
  let closed = false;
  return {
    id,
    kind: 'emulated',
    // Its tokens are words, so it counts them exactly.
    speaks: ['anthropic-count-tokens', 'openai-input-tokens'],
    generate({ ask }, sink) {
      if (plan.instead !== null && typeof plan.instead === 'object' && !closed)
        return refuse(sink, plan.instead);
      const { dialect } = ask;
      if (isCounting(dialect) && !closed) return answerCount(dialect, () => wordsOf(ask), sink);
      const meta = {
        id: deps.newId(ask.dialect.idPrefix),
        created: Math.floor(deps.now() / 1000),
        model: id,
      };
      return running.start(ask, sink, meta, async ({ reply, signal, drained }) => {
        await beforeAnswer(plan, signal);
        refuseUnmet(ask, CAN);
        const { maxTokens, stop, effort } = ask.parameters();
        const prompt = lastText(ask);
        const { text, calls } = conductOf(id, ask);
        let tokens = 0;
        const say = async (all: readonly string[], send: (piece: string) => boolean): Promise<void> => {
          for (const piece of all) {
            await beforeToken(plan, tokens, signal);
            // Yields, so that other requests proceed and a cancel is noticed.
            await (pause > 0 ? sleep(pause, undefined, { signal }) : nextTurn(undefined, { signal }));
            tokens += 1;
            if (!send(piece)) await drained();
          }
        };
        if (effort !== undefined && effort !== 'none')
          await say(words(THOUGHT), (piece) => reply.thinking(piece));
        const thought = tokens;
        const answer = emulate(text, maxTokens, stop);
        await say(answer.pieces, (piece) => reply.text(piece));
        for (const { name, json } of calls) {
          reply.toolCall(deps.newId('call').replace('-', '_'), name);
          await say(words(json), (piece) => reply.toolArguments(piece));
        }
        const usage = {
          inputTokens: words(prompt).length,
          outputTokens: calls.length > 0 ? tokens : thought + answer.tokens,
          ...(thought > 0 ? { reasoningTokens: thought } : {}),
        };
        await beforeToken(plan, Number.POSITIVE_INFINITY, signal);
        reply.finish(calls.length > 0 ? 'tool calls' : answer.finishReason, plan.usage ? usage : 'unknown');
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
