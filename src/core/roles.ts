/** What an API key may do. */

/**
 * `ask` puts requests; `observe` reads metrics and the state of experts; `operate` also reads where experts are and what
 * exactly is wrong with them, takes them out of service and back, and has the config reloaded.
 */
export const ROLES = ['ask', 'observe', 'operate'] as const;
export type Role = (typeof ROLES)[number];

/** Those of a key that names none, and of everybody where there are no keys. */
export const DEFAULT_ROLES: readonly Role[] = ['ask', 'observe'];
