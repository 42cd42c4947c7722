/** Keys with limits at the front: which experts may answer them, what they reserve, and what they are told is left. */
import { randomUUID } from 'node:crypto';
import { RouterError } from '../../core/errors.ts';
import { keptAmong } from '../../deciding/routing/locality.ts';
import type { Ask } from '../dialects/ask.ts';
import type { Routed } from '../gateway/router.ts';
import type { Hold, Limiter, Quota } from '../limits/limiter.ts';
import type { HashedKey } from './auth.ts';

/** The choice among experts that may answer the key. @throws RouterError `model_not_allowed` */
export function amongAllowed(routed: Routed, caller: HashedKey | null, limiter: Limiter | null): Routed {
  const isAllowed = allowedExperts(caller, limiter);
  if (!caller || !isAllowed) return routed;
  const allowed = routed.decision.ranking.map(({ expert }) => expert).filter(isAllowed);
  const decision = keptAmong(routed.decision, new Set(allowed), 'able');
  if (decision === null) throw notAllowed(routed.decision.expert, caller);
  return { ...routed, decision };
}

/** @throws RouterError `model_not_allowed` where one of the experts may not answer the key */
export function refuseExperts(
  experts: readonly string[],
  caller: HashedKey | null,
  limiter: Limiter | null,
): void {
  const isAllowed = allowedExperts(caller, limiter);
  const stranger = isAllowed && experts.find((id) => !isAllowed(id));
  if (caller && stranger !== null && stranger !== undefined) throw notAllowed(stranger, caller);
}

/** Whether an expert may answer the key; null where all may. */
function allowedExperts(
  caller: HashedKey | null,
  limiter: Limiter | null,
): ((expert: string) => boolean) | null {
  if (!caller) return null;
  const { experts: listed, name } = caller;
  const priced = limiter?.needsPrice(name) ?? false;
  if (!listed && !priced) return null;
  return (id) => (listed?.includes(id) ?? true) && (!priced || limiter!.hasPrice(id));
}

function notAllowed(expert: string, { experts: listed }: HashedKey): RouterError {
  const why =
    listed && !listed.includes(expert)
      ? `it may use ${listed.join(', ')}`
      : 'it has a budget, and the config gives this expert no price';
  return new RouterError('model_not_allowed', `This API key may not use the expert '${expert}': ${why}.`, {
    param: 'model',
  });
}

/** Null where the key has no limits. Rejects as `Limiter.admit`. */
export function reserve(
  limiter: Limiter | null,
  caller: HashedKey | null,
  { ask, routed }: { readonly ask: Ask; readonly routed: Routed },
): Promise<Hold> | null {
  if (!caller || !limiter?.limits(caller.name)) return null;
  return limiter.admit(caller.name, {
    id: randomUUID(),
    expert: routed.decision.expert,
    cluster: routed.classification.cluster,
    promptTokens: Math.ceil(routed.view.promptTokens),
    answerLimit: ask.answerLimit,
    choices: choicesOf(ask),
  });
}

/** Answers asked for: `n`, or `best_of`. */
function choicesOf(ask: Ask): number {
  if (ask.partial || !ask.demands().some(({ needs }) => needs === 'several answers')) return 1;
  const { n, best_of } = JSON.parse(ask.body.toString('utf8')) as Record<string, unknown>;
  return Math.max(1, ...[n, best_of].filter((value): value is number => Number.isInteger(value)));
}

/** Line breaks that end a piece of its answer; 0 where it is no stream. */
export function piecesOf({ stream, dialect: { streaming } }: Ask): 0 | 1 | 2 {
  if (!stream || !streaming) return 0;
  return streaming.separator === '\n\n' ? 2 : 1;
}

/** In the words of the API that the client speaks. @param now milliseconds since 1970 */
export function quotaHeaders({ left }: Hold, dialect: string, now: number): Readonly<Record<string, string>> {
  const write = dialect.startsWith('anthropic') ? asAnthropic : asOpenAi;
  return {
    ...(left.requests && write('requests', left.requests, now)),
    ...(left.tokens && write('tokens', left.tokens, now)),
  };
}

function asOpenAi(of: string, { limit, remaining, wait }: Quota): Record<string, string> {
  return {
    [`x-ratelimit-limit-${of}`]: String(limit),
    [`x-ratelimit-remaining-${of}`]: String(remaining),
    [`x-ratelimit-reset-${of}`]: `${Math.ceil(wait / 1000)}ms`,
  };
}

function asAnthropic(of: string, { limit, remaining, wait }: Quota, now: number): Record<string, string> {
  const name = `anthropic-ratelimit-${of}`;
  return {
    [`${name}-limit`]: String(limit),
    [`${name}-remaining`]: String(remaining),
    [`${name}-reset`]: new Date(now + wait / 1000).toISOString(),
  };
}
