/** Which requests are traced, and the ids of their spans (W3C Trace Context, level 1). */

/** Of one request that is traced: the caller's span above it, and its own. */
export interface TraceContext {
  /** 16 hex digits. */
  readonly spanId: string;
  /** The caller's span; null where it sent none. */
  readonly parentId: string | null;
}

export interface TracingOptions {
  readonly sampler: Sampler;
  /** 16 hex digits, of which not all are 0. */
  newSpanId(): string;
}

/** Of requests whose caller has not decided by itself, and whether its decision counts. */
export interface Sampler {
  /** From 0 to 1. */
  readonly share: number;
  readonly followsParent: boolean;
}

const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})/;

/**
 * @param traceparent as the caller sent it @param traceId 32 hex digits
 * @returns null for a request that is not traced
 */
export function traceContext(
  traceparent: string | undefined,
  traceId: string,
  { sampler, newSpanId }: TracingOptions,
): TraceContext | null {
  const sent = TRACEPARENT.exec(traceparent ?? '');
  const sampled =
    sent && sampler.followsParent ? (Number.parseInt(sent[2]!, 16) & 1) === 1 : isIn(traceId, sampler.share);
  return sampled ? { spanId: newSpanId(), parentId: sent?.[1] ?? null } : null;
}

/** The header that makes a span the parent of what an expert does. */
export function traceparentOf(traceId: string, spanId: string): string {
  return `00-${traceId}-${spanId}-01`;
}

/** Every gateway on the way decides alike: by the id's last seven bytes, which are random (level 2, section 3.2.3). */
function isIn(traceId: string, share: number): boolean {
  return Number.parseInt(traceId.slice(-13), 16) < share * 2 ** 52;
}

const SAMPLERS: Readonly<Record<string, (share: number) => Sampler>> = {
  always_on: () => ({ share: 1, followsParent: false }),
  always_off: () => ({ share: 0, followsParent: false }),
  traceidratio: (share) => ({ share, followsParent: false }),
  parentbased_always_on: () => ({ share: 1, followsParent: true }),
  parentbased_always_off: () => ({ share: 0, followsParent: true }),
  parentbased_traceidratio: (share) => ({ share, followsParent: true }),
};

/** @returns null for a name or a share that means nothing */
export function samplerNamed(name: string, argument: string | undefined): Sampler | null {
  const share = argument === undefined ? 1 : Number(argument);
  if (!Object.hasOwn(SAMPLERS, name) || !(share >= 0 && share <= 1)) return null;
  return SAMPLERS[name]!(share);
}
