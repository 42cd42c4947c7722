/** How a request that a replica held may end, and what sort of request it was. */

export type LeaseOutcome =
  /** @property read tokens of the prompt that were not cached, of a streamed answer; unknown when absent */
  | { readonly kind: 'ok'; readonly outputTokens: number; readonly read?: number }
  /** @property unreachable nobody was there */
  | { readonly kind: 'failed'; readonly unreachable?: boolean }
  /** The server answered with a failure, which may be its own doing or the request's. */
  | { readonly kind: 'faulted' }
  /** No first token within the deadline, which may be the length of the prompt. */
  | { readonly kind: 'late' }
  /** It asked to be left alone. @property tenant by whom; null for everybody */
  | { readonly kind: 'limited'; readonly forMs: number; readonly tenant: string | null }
  /** The reader left, or the request was refused for what it is. */
  | { readonly kind: 'undecided' };

/** What a request asks for besides text, such as `image`; empty for text alone. Read only where it matters. */
export type Shape = () => string;
