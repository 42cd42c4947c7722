/**
 * The paged key/value cache of one replica: how many blocks are taken, and which prefixes can be shared
 * (PagedAttention, Kwon et al., SOSP 2023).
 */

/** Leading blocks of a prompt that may be shared; equal ids at equal places mean equal content. */
export interface Prefix {
  readonly ids: readonly number[];
  readonly tokensPerId: number;
}

export class KvCache {
  readonly blockTokens: number;
  readonly capacity: number;
  /** Blocks that belong to one sequence each. */
  #owned = 0;
  /** Shared entries in use: id → sequences reading it. */
  readonly #pinned = new Map<number, number>();
  /** Shared entries nobody reads, oldest first: kept until their room is needed. */
  readonly #idle = new Set<number>();
  #pinnedBlocks = 0;
  #idleBlocks = 0;
  readonly #blocksOf = new Map<number, number>();

  constructor(capacityTokens: number, blockTokens: number) {
    this.blockTokens = blockTokens;
    this.capacity = Math.floor(capacityTokens / blockTokens);
  }

  /** Blocks that `tokens` tokens take. */
  blocksFor(tokens: number): number {
    return Math.ceil(tokens / this.blockTokens);
  }

  /** Blocks that can still be had: idle prefixes give way. */
  get available(): number {
    return this.capacity - this.#owned - this.#pinnedBlocks;
  }

  /** Blocks in use by running sequences. */
  get used(): number {
    return this.#owned + this.#pinnedBlocks;
  }

  canTake(blocks: number): boolean {
    return blocks <= this.available;
  }

  /** Takes blocks for one sequence. Ask `canTake` first: taking more than there are is a bug of the caller. */
  take(blocks: number): void {
    if (!this.canTake(blocks)) throw new Error(`took ${blocks} blocks of ${this.available} available`);
    this.#owned += blocks;
    this.#makeRoom();
  }

  give(blocks: number): void {
    if (blocks > this.#owned) throw new Error(`gave back ${blocks} blocks of ${this.#owned} taken`);
    this.#owned -= blocks;
  }

  /** How many leading ids of the prefix are in the cache. */
  match(prefix: Prefix): number {
    let matched = 0;
    for (const id of prefix.ids) {
      if (!this.#pinned.has(id) && !this.#idle.has(id)) break;
      matched += 1;
    }
    return matched;
  }

  /** Blocks that pinning the prefix would take from those available: new entries, and idle ones that stop being idle. */
  pinCost(prefix: Prefix): number {
    const per = this.blocksFor(prefix.tokensPerId);
    let cost = 0;
    for (const id of prefix.ids) if (!this.#pinned.has(id)) cost += this.#blocksOf.get(id) ?? per;
    return cost;
  }

  /** Marks the prefix as read by one more sequence, creating entries it lacks. */
  pin(prefix: Prefix): void {
    for (const id of prefix.ids) {
      const readers = this.#pinned.get(id) ?? 0;
      this.#pinned.set(id, readers + 1);
      if (readers > 0) continue;
      const blocks = this.#blocksOf.get(id) ?? this.blocksFor(prefix.tokensPerId);
      this.#blocksOf.set(id, blocks);
      if (this.#idle.delete(id)) this.#idleBlocks -= blocks;
      this.#pinnedBlocks += blocks;
    }
    this.#makeRoom();
  }

  unpin(prefix: Prefix): void {
    // Tails first, so that eviction, oldest first, keeps a prefix's head longest.
    for (let i = prefix.ids.length - 1; i >= 0; i--) {
      const id = prefix.ids[i]!;
      const readers = this.#pinned.get(id);
      if (readers === undefined) throw new Error(`unpinned prefix ${id} that nobody reads`);
      if (readers > 1) {
        this.#pinned.set(id, readers - 1);
        continue;
      }
      this.#pinned.delete(id);
      this.#idle.add(id);
      const blocks = this.#blocksOf.get(id)!;
      this.#pinnedBlocks -= blocks;
      this.#idleBlocks += blocks;
    }
  }

  #makeRoom(): void {
    if (this.#idleBlocks === 0) return;
    for (const id of this.#idle) {
      if (this.used + this.#idleBlocks <= this.capacity) return;
      this.#idle.delete(id);
      this.#idleBlocks -= this.#blocksOf.get(id)!;
      this.#blocksOf.delete(id);
    }
  }
}
