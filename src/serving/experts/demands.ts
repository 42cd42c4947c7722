/** Refuses requests for capabilities that an expert lacks, if ignoring them would change the meaning of the answer. */
import { LIMITS } from '../../core/bounds.ts';
import { RouterError } from '../../core/errors.ts';
import type { Ask, Capability, Tool } from '../dialects/ask.ts';
import { nothingStored, unsupported } from '../dialects/json.ts';

const WHY: Readonly<Record<Capability, string>> = {
  'several answers': 'this expert gives one answer a request',
  'a chosen tool': 'this expert cannot be made to call a tool',
  json: 'this expert cannot be held to JSON without a schema',
  'json schema': 'this expert answers in free text only',
  'token probabilities': 'token probabilities are not offered',
  'token biases': 'token biases are not offered',
  echo: 'echoing the prompt is not offered',
  insertion: 'insertion is not offered',
  audio: 'this expert answers in text',
  'a store': 'nothing is kept here after its answer',
};

/**
 * For experts that read a request's values instead of relaying its bytes.
 * @param can the expert's capabilities
 * @throws RouterError `invalid_body` or `unsupported_parameter` naming the field, or `body_too_large` if the body was not parsed whole
 */
export function refuseUnmet(ask: Ask, can: readonly Capability[] = []): void {
  if (ask.partial)
    throw new RouterError(
      'body_too_large',
      `This expert reads requests of at most ${LIMITS.loopTokens} brackets, commas and colons; send fewer values.`,
    );
  ask.check();
  if (ask.stored !== null) throw nothingStored(ask.stored);
  const unmet = unmetDemand(ask, can);
  if (unmet) throw unsupported(unmet.param, unmet.why);
}

/** The first demand of a request that an expert does not meet, and why; null where it meets them all. */
export function unmetDemand(
  ask: Ask,
  can: readonly Capability[],
): { readonly param: string; readonly why: string } | null {
  const unmet = ask.demands().find(({ needs }) => !can.includes(needs));
  return unmet === undefined ? null : { param: unmet.param, why: WHY[unmet.needs] };
}

/** Tools that the model may call but need not; empty where one must be called, or none may. */
export function offeredTools(ask: Ask): readonly Tool[] {
  const { list, choice } = ask.tools();
  return choice === null || choice.type === 'auto' ? list : [];
}
