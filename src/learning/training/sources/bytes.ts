/** Reads a file's text in pieces, decompressed and decoded, and splits it into lines. */
import { createReadStream } from 'node:fs';
import type { TextDecoder } from 'node:util';
import { createGunzip } from 'node:zlib';
import { Decompress } from 'fzstd';
import { decoderFor, isAscii } from './encoding.ts';
import type { SourceFile } from './files.ts';

const PIECE = 1 << 18;

export interface Listener {
  /** Called as bytes are read from disk. */
  readonly onBytes?: (count: number) => void;
  /** Called with what the user should know about how a file was read. */
  readonly onNotice?: (path: string, what: string) => void;
}

/** Recognises the encoding; bytes that do not fit it become the replacement character. */
export async function* decodedPieces(
  file: SourceFile,
  { onBytes, onNotice }: Listener,
): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  for await (const piece of uncompressed(file, onBytes)) {
    // ASCII is the same in every encoding but UTF-16, whose zero bytes `isAscii` rejects.
    if (!decoder && isAscii(piece)) yield Buffer.from(piece).toString('latin1');
    else {
      decoder ??= decoderFor(piece, (what) => onNotice?.(file.path, what));
      yield decoder.decode(piece, { stream: true });
    }
  }
  if (decoder) yield decoder.decode();
}

async function* uncompressed(
  file: SourceFile,
  onBytes: ((count: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  const raw = rawPieces(file.path, onBytes);
  const first = await raw.next();
  if (first.done) return;
  const compression = file.compression === 'none' ? compressionOf(first.value) : file.compression;
  const all = prepended(first.value, raw);
  if (compression === 'gzip') yield* gunzipped(all);
  else if (compression === 'zstd') yield* unzstd(all);
  else yield* all;
}

/** Detected from the first bytes, because standard input has no file name. */
function compressionOf(piece: Uint8Array): SourceFile['compression'] {
  if (piece[0] === 0x1f && piece[1] === 0x8b) return 'gzip';
  const zstd = piece[0] === 0x28 && piece[1] === 0xb5 && piece[2] === 0x2f && piece[3] === 0xfd;
  return zstd ? 'zstd' : 'none';
}

async function* rawPieces(
  path: string,
  onBytes: ((count: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  const stream = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: PIECE });
  for await (const chunk of stream) {
    const piece = chunk as Buffer;
    onBytes?.(piece.length);
    yield piece;
  }
}

async function* prepended(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
}

async function* gunzipped(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const unzip = createGunzip();
  const feeding = (async (): Promise<void> => {
    try {
      for await (const piece of pieces) {
        if (!unzip.write(piece)) await new Promise((resolve) => unzip.once('drain', resolve));
      }
      unzip.end();
    } catch (error) {
      unzip.destroy(error as Error);
    }
  })();
  yield* unzip as AsyncIterable<Uint8Array>;
  await feeding;
}

async function* unzstd(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const out: Uint8Array[] = [];
  const stream = new Decompress((chunk) => out.push(chunk));
  for await (const piece of pieces) {
    stream.push(Uint8Array.from(piece));
    yield* out.splice(0);
  }
  stream.push(new Uint8Array(0), true);
  yield* out;
}

/** A line longer than this is a mistake rather than a prompt; it is skipped without being held in memory. */
export const LONGEST_LINE = 16 << 20;

/**
 * Lines without their ends (LF, CR LF or CR). Lines beyond `LONGEST_LINE` units are skipped and reported to
 * `onTooLong`.
 */
export async function* linesOf(pieces: AsyncIterable<string>, onTooLong: () => void): AsyncGenerator<string> {
  let parts: string[] = [];
  let length = 0;
  for await (const piece of withLineFeeds(pieces)) {
    let from = 0;
    for (;;) {
      const end = piece.indexOf('\n', from);
      const part = piece.slice(from, end < 0 ? undefined : end);
      length += part.length;
      if (length <= LONGEST_LINE) parts.push(part);
      else parts.length = 0;
      if (end < 0) break;
      if (length > LONGEST_LINE) onTooLong();
      else yield parts.join('');
      parts = [];
      length = 0;
      from = end + 1;
    }
  }
  if (length > LONGEST_LINE) onTooLong();
  else if (length > 0) yield parts.join('');
}

async function* withLineFeeds(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let afterReturn = false;
  for await (const piece of pieces) {
    const rest = afterReturn && piece.startsWith('\n') ? piece.slice(1) : piece;
    if (piece !== '') afterReturn = piece.endsWith('\r');
    yield rest.includes('\r') ? rest.replaceAll(/\r\n?/g, '\n') : rest;
  }
}
