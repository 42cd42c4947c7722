/**
 * Inflates Zstandard (RFC 8878) block by block. A block inflates to 128 KB at most, so that whoever reads can stop or let
 * others have a turn between any two.
 */
import { Decompress } from 'fzstd';

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a5;
/** RFC 9659: a content coding may ask for no larger window. */
const MOST_WINDOW = 8 * 1024 * 1024;
/** Each costs the window's length, however little is in it. */
const MOST_BLOCKS = 4_096;

/** @throws Error that says what is wrong */
export function* zstdInflated(bytes: Uint8Array): Generator<Uint8Array> {
  const out: Uint8Array[] = [];
  const inflater = new Decompress((piece) => out.push(piece));
  let blocks = 0;
  for (const piece of pieces(bytes)) {
    if (++blocks > MOST_BLOCKS) throw new Error(`it has more than ${MOST_BLOCKS} blocks`);
    inflater.push(piece);
    yield* out.splice(0);
  }
  inflater.push(new Uint8Array(0), true);
  yield* out.splice(0);
}

/** Frame by frame: its header with its first block, then each block. */
function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let from = 0;
  while (from < bytes.length) {
    const magic = uint(view, from, 4);
    if (magic >>> 4 === SKIPPABLE) {
      const end = from + 8 + uint(view, from + 4, 4);
      yield bytes.subarray(from, end);
      from = end;
      continue;
    }
    if (magic !== MAGIC) throw new Error('it does not begin as a frame does');
    const { length, checksum } = header(view, from);
    let at = from + length;
    for (let last = false; !last; ) {
      const block = uint(view, at, 3);
      last = (block & 1) === 1;
      const isRun = ((block >> 1) & 3) === 1;
      at += 3 + (isRun ? 1 : block >> 3);
      if (last && checksum) at += 4;
      if (at > view.byteLength) throw new Error('it is cut short');
      yield bytes.subarray(from, at);
      from = at;
    }
  }
}

/** Of a frame: its header's length (section 3.1.1.1), and whether a checksum ends it. */
function header(view: DataView, from: number): { readonly length: number; readonly checksum: boolean } {
  const flags = uint(view, from + 4, 1);
  const single = (flags >> 5) & 1;
  const sizeBytes = [single, 2, 4, 8][flags >> 6]!;
  const dictionaryBytes = [0, 1, 2, 4][flags & 3]!;
  const sizeAt = from + 5 + (1 - single) + dictionaryBytes;
  const window = single ? contentSize(view, sizeAt, sizeBytes) : windowSize(uint(view, from + 5, 1));
  if (window > MOST_WINDOW) throw new Error(`its window is larger than ${MOST_WINDOW / 1024 / 1024} MB`);
  return { length: sizeAt + sizeBytes - from, checksum: ((flags >> 2) & 1) === 1 };
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function contentSize(view: DataView, at: number, bytes: number): number {
  if (bytes === 8) return uint(view, at, 4) + uint(view, at + 4, 4) * 2 ** 32;
  return uint(view, at, bytes) + (bytes === 2 ? 256 : 0);
}

/** Little-endian. */
function uint(view: DataView, at: number, bytes: number): number {
  if (at + bytes > view.byteLength) throw new Error('it is cut short');
  let value = 0;
  for (let i = bytes - 1; i >= 0; i -= 1) value = value * 256 + view.getUint8(at + i);
  return value;
}
