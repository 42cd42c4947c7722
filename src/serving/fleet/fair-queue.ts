/**
 * A queue with priorities, fair between tenants: the highest priority first; within it each tenant in turn,
 * and each tenant's requests in their order. Pure data structure.
 */

export interface Waiting {
  /** Higher goes first. */
  readonly priority: number;
  /** Whose request it is; one tenant's flood does not delay another's request. */
  readonly tenant: string;
}

export class FairQueue<T extends Waiting> {
  /** Priority → tenants in the order of their turn → their requests. */
  readonly #queues = new Map<number, Map<string, T[]>>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** In no particular order. */
  *[Symbol.iterator](): Generator<T> {
    for (const tenants of this.#queues.values()) for (const queue of tenants.values()) yield* queue;
  }

  push(item: T): void {
    const tenants = this.#queues.get(item.priority) ?? new Map<string, T[]>();
    const queue = tenants.get(item.tenant) ?? [];
    queue.push(item);
    tenants.set(item.tenant, queue);
    this.#queues.set(item.priority, tenants);
    this.#length += 1;
  }

  /** Takes the next, whose tenant then goes to the end of the turns. */
  shift(): T | undefined {
    const priority = Math.max(...this.#queues.keys());
    const tenants = this.#queues.get(priority);
    const next = tenants?.entries().next().value;
    if (!tenants || !next) return undefined;
    const [tenant, queue] = next;
    const item = queue.shift()!;
    tenants.delete(tenant);
    if (queue.length > 0) tenants.set(tenant, queue);
    this.#forget(priority, tenants);
    this.#length -= 1;
    return item;
  }

  /** Takes one out of the middle; false if it is not there. */
  remove(item: T): boolean {
    const tenants = this.#queues.get(item.priority);
    const queue = tenants?.get(item.tenant);
    const at = queue?.indexOf(item) ?? -1;
    if (!tenants || !queue || at < 0) return false;
    queue.splice(at, 1);
    if (queue.length === 0) tenants.delete(item.tenant);
    this.#forget(item.priority, tenants);
    this.#length -= 1;
    return true;
  }

  #forget(priority: number, tenants: ReadonlyMap<string, readonly T[]>): void {
    if (tenants.size === 0) this.#queues.delete(priority);
  }
}
