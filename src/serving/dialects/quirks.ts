/** How a request to a server must differ from what its client wrote. */

/** Of its engine: how it differs from what the dialects say. */
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

/** What a server needs otherwise than the client wrote it. */
export interface ServerNeeds {
  /** Its name of the model. */
  readonly model: string;
  /** The limit for requests that set none, in tokens; undefined for the server's own. */
  readonly limit: number | undefined;
  readonly quirks: Quirks;
  /** Whether the client asks this server's expert and no other. */
  readonly insisted: boolean;
}
