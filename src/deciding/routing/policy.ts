/**
 * A policy ranks the experts for one request. It is a pure function, so that the gateway, the dry run, the simulator
 * and the tests call the same code: it counts nothing, logs nothing, and takes its randomness from the context.
 */
import type { z } from 'zod';
import { UserError } from '../../core/errors.ts';

/** An expert's load at the moment of the decision. */
export interface LoadSnapshot {
  /** Requests in progress over all replicas: ours, and others' as far as engines report them (then a fraction). */
  readonly inFlight: number;
  /** Requests waiting for admission. */
  readonly queued: number;
  /** Prompt estimate plus expected output of everything admitted or queued, in tokens. */
  readonly outstandingTokens: number;
  /** Estimated rate at which this expert finishes tokens, tokens per second; 0 when unknown. */
  readonly tokensPerSecond: number;
  /** Rate at which one of its replicas reads a prompt, tokens per second; unknown when absent or 0. */
  readonly prefillTokensPerSecond?: number;
  /** Of the prompt of a conversation that it has answered so far, what its cache still holds; 1 when absent. */
  readonly cachedShare?: number;
  /**
   * Requests it runs at once before more have to wait, less while engines report that they are full; Infinity when
   * unknown.
   */
  readonly capacity: number;
  /** Whether it can take a request at all (healthy, breaker closed). */
  readonly available: boolean;
  /** Seconds to load its LoRA adapter first, where no replica has it in GPU memory; nothing is to be loaded when absent. */
  readonly loadsIn?: number | undefined;
  /** Seconds until it is expected to run, of one that does not and is started when it is needed; absent for all others. */
  readonly startsIn?: number | undefined;
}

/** No load: for decisions without running experts. */
export const idleLoad: LoadSnapshot = {
  inFlight: 0,
  queued: 0,
  outstandingTokens: 0,
  tokensPerSecond: 0,
  capacity: Number.POSITIVE_INFINITY,
  available: true,
};

export interface Candidate {
  readonly id: string;
  /** How well this expert suits the prompt: 1 for the best of all candidates, towards 0 with distance. */
  readonly affinity: number;
  /** Distance of the expert's nearest cluster to the prompt; null for an expert without clusters. */
  readonly distance: number | null;
  /**
   * Share of the conversation so far that is expected in the expert's KV cache, 0 to 1; null when nothing is known,
   * as for the first turn of a conversation.
   */
  readonly warmth: number | null;
  /** Turns for which a lack of fit is expected to count: more than one once the subject has changed; 1 when absent. */
  readonly lasting?: number;
  readonly load: LoadSnapshot;
}

/** The part of a request that a policy may see. */
export interface RequestView {
  /** Estimated length of the prompt, in tokens. */
  readonly promptTokens: number;
  /** Expected length of the answer, in tokens. */
  readonly outputTokens: number;
  /** Equal for requests that begin alike, as the turns of one conversation do; null for none. */
  readonly prefixKey: string | null;
  /** -10 to 10, higher is more urgent; 0 unless the client says otherwise. */
  readonly priority: number;
  /** Seconds from now by which the answer must be complete; Infinity for none. */
  readonly deadline: number;
}

export interface PolicyContext {
  readonly candidates: readonly Candidate[];
  /** The same by falling affinity, those of equal affinity in the same order; where that is known beforehand. */
  readonly byAffinity?: readonly Candidate[];
  readonly request: RequestView;
  /** One uniform number in [0, 1), the only randomness a policy may use. */
  readonly random: number;
  /** Number of requests decided before this one, for policies such as round-robin. */
  readonly sequence: number;
}

export interface Policy<O> {
  /** The name in a config: lower case, digits and dashes. */
  readonly id: string;
  /** Completes "the request goes to …" in a line, for the config's schema, `--help` and the docs. */
  readonly summary: string;
  /** A strict object: an unknown option is an error. The config's schema is derived from it. */
  readonly options: z.ZodType<O> & Pick<z.ZodObject, 'shape'>;
  /** Seconds that one unit of affinity is worth to it, for explanations; the default when absent. */
  secondsPerAffinity?(options: O): number;
  /** Returns every candidate once, best first; the rest are the fallbacks in order. Never mutates its input. */
  rank(context: PolicyContext, options: O): readonly Candidate[];
  /** The first of the ranking, where it can be found without the others; simulations ask for nothing more. */
  best?(context: PolicyContext, options: O): Candidate;
}

// biome-ignore lint/suspicious/noExplicitAny: a table of policies with different options has no narrower common type
export type AnyPolicy = Policy<any>;

/** A policy with its options fixed, ready to rank. */
export interface BoundPolicy {
  readonly id: string;
  /** Seconds that one unit of affinity is worth to it; the default when absent. */
  readonly secondsPerAffinity?: number;
  rank(context: PolicyContext): readonly Candidate[];
  /** The first of the ranking; the ranking itself is asked when absent. */
  best?(context: PolicyContext): Candidate;
}

/** Defines a policy; the type of `rank`'s options follows from the schema. */
export function definePolicy<O>(policy: Policy<O>): Policy<O> {
  return policy;
}

/**
 * @param options what the policy's schema takes; absent ones get their defaults
 * @throws UserError naming the options that are wrong
 */
export function bindPolicy<O>(policy: Policy<O>, options: Partial<NoInfer<O>> = {}): BoundPolicy {
  const parsed = policy.options.safeParse(options);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${['policy', policy.id, ...path].join('.')}: ${message}.`,
    );
    throw new UserError(problems.join('\n'));
  }
  const secondsPerAffinity = policy.secondsPerAffinity?.(parsed.data);
  return {
    id: policy.id,
    ...(secondsPerAffinity === undefined ? {} : { secondsPerAffinity }),
    rank: (context) => policy.rank(context, parsed.data),
    ...(policy.best ? { best: (context) => policy.best!(context, parsed.data) } : {}),
  };
}
