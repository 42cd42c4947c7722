/**
 * Where conversations live: the expert that last answered one has its prefix in its cache, and is in the middle of its
 * work where tools answer. Remembered are those with a name, those with tools, and those that were answered by another
 * expert than their turns say; of the rest the turns say it. Nothing of what is said is kept, but hashes.
 */
import { hash } from 'node:crypto';
import { LIMITS } from '../../core/bounds.ts';
import type { Decision } from '../../deciding/routing/decide.ts';
import type { Ask } from '../dialects/ask.ts';

/** Whose a request is. */
export interface Caller {
  /** For fairness between keys; empty where there are none. */
  readonly tenant: string;
  /** The client's name of the conversation, scoped by caller; null for none. */
  readonly session: string | null;
}

/** A conversation's hash, and the expert that has answered it. */
export type Move = readonly [key: string, expert: string];

const ONCE: ReadonlySet<Decision['reason']> = new Set(['named', 'forced', 'side-request']);

type Told = Pick<Ask, 'affinityKey' | 'toolLoop' | 'turns'>;

export class Conversations {
  /** The least recently answered first. */
  readonly #experts = new Map<string, string>();
  /** Called with what other processes do not know yet. */
  onMove: (move: Move) => void = () => {};

  /** The expert that is in the middle of its work; null where tools have not just answered, or nothing is known. */
  boundTo(ask: Told, caller: Caller): string | null {
    if (ask.toolLoop !== 'running' || ask.affinityKey === null) return null;
    return this.#experts.get(keyOf(ask, caller)) ?? null;
  }

  /**
   * Where the conversation's prefix is cached, if that is remembered. A client that names its conversation need not send
   * its beginning: then it is where the last request of that name was answered.
   */
  livesAt(ask: Told, caller: Caller): string | null {
    if (ask.affinityKey === null) return null;
    if (caller.session === null && ask.turns.length < 2 && ask.toolLoop !== 'running') return null;
    const own = this.#experts.get(keyOf(ask, caller));
    if (own !== undefined || caller.session === null) return own ?? null;
    return this.#experts.get(nameOf(ask, caller.session)) ?? null;
  }

  /** What a client demands for one request, or a program asks about a conversation, says nothing about the next. */
  answered(ask: Told, caller: Caller, expert: string, { home, reason }: Decision): void {
    if (ask.affinityKey === null || ONCE.has(reason)) return;
    const key = keyOf(ask, caller);
    const known = this.#experts.has(key);
    if (!known && expert === home && caller.session === null && ask.toolLoop === 'none') return;
    this.#learn(key, expert);
    if (caller.session !== null) this.#learn(nameOf(ask, caller.session), expert);
  }

  /** What another process tells. */
  heard(moves: readonly Move[]): void {
    for (const [key, expert] of moves) this.#put(key, expert);
  }

  #learn(key: string, expert: string): void {
    const before = this.#experts.get(key);
    this.#put(key, expert);
    if (before !== expert) this.onMove([key, expert]);
  }

  #put(key: string, expert: string): void {
    this.#experts.delete(key);
    this.#experts.set(key, expert);
    if (this.#experts.size > LIMITS.conversations) this.#experts.delete(this.#experts.keys().next().value!);
  }
}

/** Agents that work for an agent share its session, but not the beginning of its conversation. */
function keyOf({ affinityKey }: Told, { tenant, session }: Caller): string {
  return hashOf(`${session ?? tenant}\0${affinityKey}`);
}

/** With the first line of the system prompt, which tells the agents of a session apart. */
function nameOf({ affinityKey }: Told, session: string): string {
  const [first = ''] = (affinityKey ?? '').split('\n', 1);
  const system = first.startsWith('user:') ? '' : first;
  return hashOf(`${session}\0\0${system}`);
}

function hashOf(text: string): string {
  return hash('sha1', text, 'base64');
}
