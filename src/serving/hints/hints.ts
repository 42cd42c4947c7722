/**
 * Tells other gateways once a second what this process has found out, and hears what they have: breakers that are open,
 * measured rates, where conversations live, and which config and router model serve. Never on the way of a request.
 */
import type { Demand } from '../../deciding/scaling/demand.ts';
import type { Move } from '../gateway/conversations.ts';
import { type Hint, MOST_MOVES, type ReplicaHint, readHint } from './hint.ts';

/** Where hints go and come from. */
export interface HintChannel {
  /** Returns at once; what cannot be told is not told. */
  publish(text: string): void;
  onMessage: (text: string) => void;
  close(): void;
}

/** What this process knows, and what it makes of what others know. */
export interface HintParts {
  readonly channel: HintChannel;
  readonly from: string;
  /** What serves here. */
  serving(): { readonly config: string; readonly routerModel: string };
  replicas(): Readonly<Record<string, ReplicaHint>>;
  /** Of experts that somebody asked lately. */
  demands(): Readonly<Record<string, Demand>>;
  onReplicas(replicas: Readonly<Record<string, ReplicaHint>>): void;
  onMoves(moves: readonly Move[]): void;
  /** Milliseconds that never run backwards. */
  now(): number;
  log(line: string): void;
}

/** Another process, as last heard. */
export interface Peer {
  readonly from: string;
  readonly config: string;
  readonly routerModel: string;
  /** Whether both are the same as here. */
  readonly same: boolean;
  readonly secondsAgo: number;
}

const EVERY_MS = 1_000;
/** One that has said nothing for so long is gone. */
const GONE_MS = 10_000;
const MOST_PEERS = 1_000;

export class Hints {
  readonly #parts: HintParts;
  readonly #peers = new Map<string, { readonly hint: Hint; readonly at: number }>();
  #moves: Move[] = [];
  readonly #timer: NodeJS.Timeout;
  #mixed = false;

  constructor(parts: HintParts) {
    this.#parts = parts;
    parts.channel.onMessage = (text) => this.#heard(text);
    this.#timer = setInterval(() => this.tell(), EVERY_MS).unref();
  }

  /** To be told with the next hint. */
  moved(move: Move): void {
    if (this.#moves.length < MOST_MOVES) this.#moves.push(move);
  }

  /** Called by its own timer. */
  tell(): void {
    const { channel, from, serving, replicas, demands } = this.#parts;
    const hint: Hint = { from, ...serving(), replicas: replicas(), demands: demands(), moves: this.#moves };
    this.#moves = [];
    channel.publish(JSON.stringify(hint));
    this.#sayIfMixed();
  }

  peers(): readonly Peer[] {
    const { now, serving } = this.#parts;
    const own = serving();
    const at = now();
    this.#forgetGone();
    return Array.from(this.#peers, ([from, { hint, at: heard }]) => ({
      from,
      config: hint.config,
      routerModel: hint.routerModel,
      same: hint.config === own.config && hint.routerModel === own.routerModel,
      secondsAgo: (at - heard) / 1000,
    }));
  }

  /** What others have of an expert, as last heard. */
  demandsOf(expert: string): readonly Demand[] {
    this.#forgetGone();
    return Array.from(this.#peers.values(), ({ hint: { demands } }) =>
      Object.hasOwn(demands, expert) ? demands[expert]! : null,
    ).filter((demand) => demand !== null);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#parts.channel.close();
  }

  #forgetGone(): void {
    const at = this.#parts.now();
    for (const [from, peer] of this.#peers) if (at - peer.at > GONE_MS) this.#peers.delete(from);
  }

  #heard(text: string): void {
    const hint = readHint(text);
    const { from, now, onReplicas, onMoves } = this.#parts;
    if (hint === null || hint.from === from) return;
    if (this.#peers.size >= MOST_PEERS && !this.#peers.has(hint.from)) return;
    this.#peers.set(hint.from, { hint, at: now() });
    onReplicas(hint.replicas);
    onMoves(hint.moves);
  }

  /** A config is rolled out one gateway after another; one that stays mixed is seen. */
  #sayIfMixed(): void {
    const others = this.peers().filter(({ same }) => !same).length;
    const mixed = others > 0;
    if (mixed && !this.#mixed)
      this.#parts.log(`Of the gateways that share hints, ${others} serve another config or router model.`);
    if (!mixed && this.#mixed) this.#parts.log('All gateways that share hints serve the same config again.');
    this.#mixed = mixed;
  }
}
