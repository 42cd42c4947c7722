/** How requests to an engine must differ from what its dialects say. */
export interface Quirks {
  /** The field that limits a chat's answer, if the server does not know both of OpenAI's. */
  readonly limit?: 'max_tokens' | 'max_completion_tokens';
  /** Dialects in which its answers stop after 16 tokens by default. */
  readonly cutsAt16?: readonly string[];
  /** It rejects lone surrogates, which other servers accept. */
  readonly refusesHalfSurrogates?: true;
  /** It is Anthropic's own: it reads what Claude Code says of itself, and checks who made a thought. */
  readonly readsAttribution?: true;
  /** Statuses that it uses differently → the usual status, which clients and retries understand. */
  readonly statuses?: Readonly<Record<number, number>>;
}
