/**
 * Who is in the middle of its work: the expert that last answered a conversation with tools. Kept for the latest
 * conversations of this process alone; where nothing is known, the turns decide as ever.
 */
import { createHash } from 'node:crypto';
import { LIMITS } from '../../core/bounds.ts';
import type { Ask } from '../dialects/ask.ts';

/** Whose a request is. */
export interface Caller {
  /** For fairness between keys; empty where there are none. */
  readonly tenant: string;
  /** The client's name of the conversation, scoped by caller; null for none. */
  readonly session: string | null;
}

export class ToolLoops {
  /** The least recently answered first. */
  readonly #experts = new Map<string, string>();

  /** Null where tools have not just answered, or nothing is known. */
  boundTo(ask: Ask, caller: Caller): string | null {
    return ask.toolLoop === 'running' ? (this.#experts.get(keyOf(ask, caller)) ?? null) : null;
  }

  answered(ask: Ask, caller: Caller, expert: string): void {
    if (ask.toolLoop === 'none') return;
    const key = keyOf(ask, caller);
    this.#experts.delete(key);
    this.#experts.set(key, expert);
    if (this.#experts.size > LIMITS.toolLoops) this.#experts.delete(this.#experts.keys().next().value!);
  }
}

/** Agents that work for an agent share its session, but not the beginning of its conversation. */
function keyOf({ affinityKey }: Ask, { tenant, session }: Caller): string {
  return createHash('sha1')
    .update(`${session ?? tenant}\0${affinityKey}`)
    .digest('base64');
}
