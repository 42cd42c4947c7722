/** Why an expert does not take a request, in words, and when to ask again. */
import { RouterError } from '../../core/errors.ts';
import { healthText } from '../experts/expert.ts';
import type { Shape } from './breakers.ts';
import type { Replica } from './replica.ts';

/** When to ask again an expert that has no replica. */
const NOBODY_RETRY_MS = 5_000;

const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000));

export function leftAlone(expert: string, backoffMs: number): RouterError {
  const retryAfter = seconds(backoffMs);
  return new RouterError('overloaded', `Expert '${expert}' asked to be left alone for ${retryAfter} s.`, {
    retryAfter,
  });
}

/** @param queued requests that wait, where the queue is full; null where the wait would be too long */
export function busy(expert: string, waitMs: number, queued: number | null): RouterError {
  const about = `the wait would be about ${Math.ceil(waitMs / 1000)} s`;
  const full =
    queued === 0 ? 'all its slots are taken and it has no queue' : `${queued} requests wait for it already`;
  return new RouterError('overloaded', `Expert '${expert}' is busy: ${queued === null ? about : full}.`, {
    retryAfter: seconds(waitMs),
  });
}

export function waitedTooLong(expert: string, timeoutMs: number, waitMs: number): RouterError {
  return new RouterError(
    'queue_timeout',
    `Expert '${expert}' had no free slot within ${timeoutMs / 1000} s.`,
    {
      retryAfter: seconds(waitMs),
    },
  );
}

/** @param leftMs until it may be there all the same */
export function notStarted(expert: string, limitMs: number, leftMs: number): RouterError {
  return new RouterError('expert_not_ready', `Expert '${expert}' did not start within ${limitMs / 1000} s.`, {
    retryAfter: seconds(leftMs),
  });
}

/** It could not be started. @param problem without its first word and full stop */
export function failedStart(expert: string, problem: string, retryMs: number): RouterError {
  return new RouterError('expert_not_ready', `Expert '${expert}' could not be started: ${problem}.`, {
    retryAfter: seconds(retryMs),
  });
}

/** @param drained operators have taken all of it out of service @param shape of the request */
export function notReady(
  expert: string,
  replicas: readonly Replica[],
  drained: boolean,
  shape: Shape,
): RouterError {
  const opening = replicas
    .filter(({ leaving, drained }) => !leaving && !drained)
    .map((replica) => replica.opensIn);
  return new RouterError(
    'expert_not_ready',
    `Expert '${expert}' cannot take requests now: ${drained ? 'it is drained' : whyNot(replicas, shape)}.`,
    { retryAfter: seconds(opening.length > 0 ? Math.min(...opening) : NOBODY_RETRY_MS) },
  );
}

function whyNot(replicas: readonly Replica[], shape: Shape): string {
  if (replicas.length === 0) return 'no replica of it is there';
  return replicas
    .map((replica) => {
      const { name, health, leaving, drained, breaker } = replica;
      if (leaving) return `${name} is leaving`;
      if (drained) return `${name} is drained`;
      if (health.state !== 'ready') return `${name} ${health.state} (${healthText(health)})`;
      if (!replica.takes(shape)) return `${name} has failed at requests with ${shape()} again and again`;
      return `${name} is left alone after its last failures (its breaker is ${breaker})`;
    })
    .join(', ');
}
