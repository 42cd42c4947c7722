/**
 * Inflates Zstandard (RFC 8878) block by block, as its bytes come. A block inflates to 128 KB at most, so that whoever reads
 * can stop or let others have a turn between any two.
 */
import { Decompress } from 'fzstd';

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a5;
const MB = 1024 * 1024;
/** RFC 9659: a content coding may ask for no larger window. */
const MOST_WINDOW = 8 * MB;
/** Each block costs the window's length, however little is in it: 4,096 of the largest window, or more of a smaller one. */
const MOST_MOVED = 4_096 * MOST_WINDOW;
const NOTHING = new Uint8Array(0);
/** Of what is there whole, nobody has flushed every word: an eighth is twice what 32 MB in whole blocks cost. */
const MOST_MOVED_WHOLE = MOST_MOVED / 8;
/** What cannot be told yet, because so many bytes are needed for it. */
class Needed {
  readonly bytes: number;
  constructor(bytes: number) {
    this.bytes = bytes;
  }
}

export class ZstdInflater {
  readonly #out: Uint8Array[] = [];
  readonly #inflater = new Decompress((piece) => this.#out.push(piece));
  /** Bytes that came and are not inflated yet, and how many it takes to go on. */
  #held: Uint8Array[] = [];
  #length = 0;
  #needed = 1;
  /** Of the frame whose blocks come; null between frames. */
  #frame: { readonly window: number; readonly checksum: boolean } | null = null;
  #moved = 0;
  readonly #mostMoved: number;

  constructor(mostMoved = MOST_MOVED) {
    this.#mostMoved = mostMoved;
  }

  /** A piece or more for each block, however little it inflates to. @throws Error that says what is wrong */
  *push(bytes: Uint8Array): Generator<Uint8Array> {
    this.#held.push(bytes);
    this.#length += bytes.length;
    while (this.#length >= this.#needed) {
      const all = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held);
      this.#held = [all];
      const next = this.#frame === null ? this.#frameAt(all) : this.#blockAt(all, 0);
      const end = next instanceof Needed ? next.bytes : next;
      this.#needed = end;
      if (next instanceof Needed || end > all.length) continue;
      this.#inflater.push(all.subarray(0, end));
      this.#held = [all.subarray(end)];
      this.#length -= end;
      this.#needed = 1;
      const out = this.#out.splice(0);
      yield* out.length > 0 ? out : [NOTHING];
    }
  }

  /** To be called after the last bytes. @throws Error where they are not all */
  *end(): Generator<Uint8Array> {
    if (this.#frame !== null || this.#length > 0) throw new Error('it is cut short');
    this.#inflater.push(new Uint8Array(0), true);
    yield* this.#out.splice(0);
  }

  /** Where a frame's header ends with its first block, or a frame that is to be skipped. */
  #frameAt(bytes: Uint8Array): number | Needed {
    if (bytes.length < 5) return new Needed(5);
    const magic = uint(bytes, 0, 4);
    if (magic >>> 4 === SKIPPABLE) {
      if (bytes.length < 8) return new Needed(8);
      const length = uint(bytes, 4, 4);
      if (length > MOST_WINDOW) throw new Error(`a frame to skip is larger than ${MOST_WINDOW / MB} MB`);
      return 8 + length;
    }
    if (magic !== MAGIC) throw new Error('it does not begin as a frame does');
    const flags = bytes[4]!;
    const single = (flags >> 5) & 1;
    const sizeBytes = [single, 2, 4, 8][flags >> 6]!;
    const sizeAt = 5 + (1 - single) + [0, 1, 2, 4][flags & 3]!;
    const headerEnd = sizeAt + sizeBytes;
    if (bytes.length < headerEnd) return new Needed(headerEnd);
    const window = single ? contentSize(bytes, sizeAt, sizeBytes) : windowSize(bytes[5]!);
    if (window > MOST_WINDOW) throw new Error(`its window is larger than ${MOST_WINDOW / MB} MB`);
    this.#frame = { window, checksum: ((flags >> 2) & 1) === 1 };
    const end = this.#blockAt(bytes, headerEnd);
    // Its header is read again once the first block is there.
    if (end instanceof Needed || end > bytes.length) this.#frame = null;
    return end;
  }

  /** Where a block ends, with the checksum after the last. */
  #blockAt(bytes: Uint8Array, at: number): number | Needed {
    const { window, checksum } = this.#frame!;
    if (bytes.length < at + 3) return new Needed(at + 3);
    const block = uint(bytes, at, 3);
    const isLast = (block & 1) === 1;
    const isRun = ((block >> 1) & 3) === 1;
    const end = at + 3 + (isRun ? 1 : block >> 3) + (isLast && checksum ? 4 : 0);
    if (end > bytes.length) return end;
    this.#moved += window;
    if (this.#moved > this.#mostMoved) throw new Error('it has too many blocks for its window');
    if (isLast) this.#frame = null;
    return end;
  }
}

/** What is there whole. @throws Error that says what is wrong */
export function* zstdInflated(bytes: Uint8Array): Generator<Uint8Array> {
  const inflater = new ZstdInflater(MOST_MOVED_WHOLE);
  yield* inflater.push(bytes);
  yield* inflater.end();
}

/** Window_Descriptor, section 3.1.1.1.2. */
function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** Frame_Content_Size, section 3.1.1.1.4. */
function contentSize(view: Uint8Array, at: number, bytes: number): number {
  if (bytes === 8) return uint(view, at, 4) + uint(view, at + 4, 4) * 2 ** 32;
  return uint(view, at, bytes) + (bytes === 2 ? 256 : 0);
}

/** Little-endian. */
function uint(view: Uint8Array, at: number, bytes: number): number {
  let value = 0;
  for (let i = bytes - 1; i >= 0; i -= 1) value = value * 256 + view[at + i]!;
  return value;
}
