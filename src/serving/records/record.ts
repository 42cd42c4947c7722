/** What is kept of a decision and of feedback on it, as JSON lines. No answer is in them, and a prompt only where the config wants it. */

/** Features of a decision, known when it is made. */
export interface DecisionFeatures {
  readonly traceId: string;
  /** Names the space that the vector lies in: vectors of different embeddings cannot be compared. */
  readonly space: string;
  /** Unit length, or zeros. */
  readonly vector: Float32Array;
  readonly cluster: number;
  readonly outside: boolean;
  /** Id of the expert chosen first, and why. */
  readonly expert: string;
  readonly reason: string;
  /** The expert that suits it best. */
  readonly home: string;
  /** The expert that had the conversation cached; null at its beginning. */
  readonly livedAt: string | null;
  /** Why it went elsewhere than home; null where it did not. */
  readonly spilledFor: string | null;
  /** Ids of the experts that took no requests then. */
  readonly out: readonly string[];
  /** What was read of the last user turn; null where prompts are not kept. */
  readonly prompt: string | null;
  /** The expert that it belongs to by a shadow model, which may tell later; null where none looks. */
  readonly shadow: { readonly home: string | null } | null;
}

/** How the request ended. */
export interface DecisionEnd {
  readonly traceId: string;
  /** Epoch milliseconds at which it came. */
  readonly at: number;
  /** Id of the expert that answered; null for none. */
  readonly expert: string | null;
  readonly tries: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly stream: boolean;
  /** As the expert reported them; null where it did not. */
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  /** Of the prompt, taken from the engine's cache. */
  readonly cachedTokens: number | null;
  /** Every try, in order; milliseconds from the request's head. */
  readonly asked: readonly { readonly expert: string; readonly fromMs: number }[];
  /** By the price that the config gave; null where that or the tokens are not known. */
  readonly usd: number | null;
  /** Name of the API key; null without keys. */
  readonly key: string | null;
  readonly firstMs: number | null;
  readonly totalMs: number;
}

export interface Feedback {
  /** As in the answer's header `x-expert-router-trace-id`. */
  readonly traceId: string;
  /** 0 to 1. */
  readonly score: number;
  readonly comment: string | null;
  /** Name of the API key; null without keys. */
  readonly key: string | null;
}

export interface DecisionLine {
  readonly kind: 'decision';
  readonly at: number;
  readonly trace: string;
  readonly space: string;
  /** One signed byte a number, in base64; see `unpackVector`. */
  readonly vector: string;
  readonly cluster: number;
  readonly outside: boolean;
  readonly chosen: string;
  readonly reason: string;
  readonly expert: string | null;
  readonly tries: number;
  readonly status: number | null;
  readonly error: string | null;
  /** Absent in lines of earlier versions. */
  readonly stream?: boolean;
  readonly prompt_tokens: number | null;
  readonly completion_tokens: number | null;
  /** Lines of earlier versions have neither. */
  readonly usd?: number | null;
  readonly key?: string | null;
  readonly cached_tokens?: number | null;
  /** When a replica of the expert that answered was asked, the queue behind it. */
  readonly asked_ms?: number | null;
  readonly first_ms: number | null;
  readonly total_ms: number;
  /** Lines of earlier versions do not have them. */
  readonly home?: string;
  readonly lived_at?: string | null;
  readonly spilled_for?: string | null;
  /** Experts that took no requests then; absent where all did. */
  readonly out?: readonly string[];
  /** Absent where prompts are not kept. */
  readonly prompt?: string;
  /** By the shadow model; absent where it did not look. */
  readonly shadow_home?: string;
}

export interface FeedbackLine {
  readonly kind: 'feedback';
  readonly at: number;
  readonly trace: string;
  readonly score: number;
  readonly comment: string | null;
  readonly key: string | null;
}

export function decisionLine(features: DecisionFeatures, end: DecisionEnd): DecisionLine {
  return {
    kind: 'decision',
    at: Math.round(end.at),
    trace: features.traceId,
    space: features.space,
    vector: packVector(features.vector),
    cluster: features.cluster,
    outside: features.outside,
    chosen: features.expert,
    reason: features.reason,
    expert: end.expert,
    tries: end.tries,
    status: end.status,
    error: end.error,
    stream: end.stream,
    prompt_tokens: end.promptTokens,
    completion_tokens: end.completionTokens,
    usd: end.usd,
    key: end.key,
    cached_tokens: end.cachedTokens,
    asked_ms: askedMs(end),
    first_ms: end.firstMs === null ? null : Math.round(end.firstMs),
    total_ms: Math.round(end.totalMs),
    home: features.home,
    lived_at: features.livedAt,
    spilled_for: features.spilledFor,
    ...(features.out.length === 0 ? {} : { out: features.out }),
    ...(features.prompt === null ? {} : { prompt: features.prompt }),
    ...(features.shadow?.home ? { shadow_home: features.shadow.home } : {}),
  };
}

function askedMs({ asked, expert }: DecisionEnd): number | null {
  const from = asked.findLast((one) => one.expert === expert)?.fromMs;
  return from === undefined ? null : Math.round(from);
}

export function feedbackLine({ traceId, score, comment, key }: Feedback, at: number): FeedbackLine {
  return { kind: 'feedback', at: Math.round(at), trace: traceId, score, comment, key };
}

/** Scaled so that the largest number is 127: a unit vector comes back with a cosine above 0.999. */
function packVector(vector: Float32Array): string {
  let most = 0;
  for (let at = 0; at < vector.length; at++) most = Math.max(most, Math.abs(vector[at]!));
  const bytes = Buffer.alloc(vector.length);
  // Negative numbers wrap into the upper half, which is how they are read as signed.
  if (most > 0) for (let at = 0; at < vector.length; at++) bytes[at] = Math.round((127 * vector[at]!) / most);
  return bytes.toString('base64');
}

/** The numbers of a packed vector, at unit length. @throws RangeError if there are not as many as `dimensions` */
export function unpackVector(text: string, dimensions: number): Float32Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== dimensions)
    throw new RangeError(`a vector of ${bytes.length} numbers instead of ${dimensions}`);
  const values = Float32Array.from(new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  let squares = 0;
  for (const value of values) squares += value * value;
  const length = Math.sqrt(squares) || 1;
  return values.map((value) => value / length);
}
