/** Ends a reply before the first of some stop sequences that the server was not given. */
import type { Reply } from '../../reply/reply.ts';
import { stopFilter } from '../stop.ts';

export class StoppingReply implements Reply {
  readonly #reply: Reply;
  readonly #filter: ReturnType<typeof stopFilter>;
  #stopped = false;

  constructor(reply: Reply, stops: readonly string[]) {
    this.#reply = reply;
    this.#filter = stopFilter(stops);
  }

  /** A stop sequence has ended the reply. */
  get stopped(): boolean {
    return this.#stopped;
  }

  begin(...args: Parameters<Reply['begin']>): void {
    this.#reply.begin(...args);
  }

  text(piece: string): boolean {
    if (this.#stopped) return true;
    const { text, stopped } = this.#filter.push(piece);
    const more = text === '' || this.#reply.text(text);
    if (stopped !== null) this.#reply.finish('stop', 'unknown', stopped);
    this.#stopped = stopped !== null;
    return more;
  }

  thinking(piece: string): boolean {
    return this.#stopped || this.#reply.thinking(piece);
  }

  toolCall(id: string, name: string): boolean {
    this.#flush();
    return this.#stopped || this.#reply.toolCall(id, name);
  }

  toolArguments(piece: string): boolean {
    return this.#stopped || this.#reply.toolArguments(piece);
  }

  finish(...args: Parameters<Reply['finish']>): void {
    this.#flush();
    if (!this.#stopped) this.#reply.finish(...args);
  }

  fail(...args: Parameters<Reply['fail']>): void {
    if (!this.#stopped) this.#reply.fail(...args);
  }

  #flush(): void {
    const held = this.#filter.flush();
    if (held && !this.#stopped) this.#reply.text(held);
  }
}
