/** The content codings of request bodies (RFC 9110, section 8.4.1): what is sent in fewer bytes, in pieces of what it says. */
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createBrotliDecompress, createInflate, createUnzip } from 'node:zlib';
import { RouterError } from '../../core/errors.ts';
import { excerpt } from '../../core/excerpt.ts';
import { zstdInflated } from '../../http/zstd.ts';

const PIECE = { chunkSize: 64 * 1024 };
/** Blocks inflated on the event loop before others get a turn; each costs as much as its window is long, 8 MB at most. */
const BLOCKS_A_TURN = 4;

const CODINGS = {
  gzip: (packed: Buffer) => streamed(packed, createUnzip(PIECE)),
  deflate: (packed: Buffer) => streamed(packed, createInflate(PIECE)),
  br: (packed: Buffer) => streamed(packed, createBrotliDecompress(PIECE)),
  zstd: inTurns,
} as const satisfies Readonly<Record<string, (packed: Buffer) => AsyncIterable<Uint8Array>>>;

export type Coding = keyof typeof CODINGS;

export const CODINGS_READ: readonly string[] = Object.keys(CODINGS);

/** @returns null for none @throws RouterError `unsupported_media_type` */
export function codingOf(header: string | undefined): Coding | null {
  if (header === undefined || header === '') return null;
  const name = header
    .trim()
    .toLowerCase()
    .replace(/^x-gzip$/, 'gzip');
  if (name === 'identity') return null;
  if (Object.hasOwn(CODINGS, name)) return name as Coding;
  throw new RouterError(
    'unsupported_media_type',
    `Content-Encoding '${excerpt(header)}' is not supported; send the body in one of ${CODINGS_READ.join(', ')}, or uncompressed.`,
  );
}

/** Piece by piece, and no faster than they are taken. @throws RouterError `invalid_body` for what is not in this coding */
export async function* inflated(coding: Coding, packed: Buffer): AsyncGenerator<Uint8Array> {
  const pieces = CODINGS[coding](packed)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await pieces.next().catch((error: Error) => {
        throw new RouterError('invalid_body', `The request body is no ${coding}: ${excerpt(error.message)}.`);
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await pieces.return?.(undefined);
  }
}

function streamed(packed: Buffer, through: ReturnType<typeof createUnzip>): AsyncIterable<Buffer> {
  return Readable.from([packed]).pipe(through) as AsyncIterable<Buffer>;
}

async function* inTurns(packed: Buffer): AsyncGenerator<Uint8Array> {
  let blocks = 0;
  for (const piece of zstdInflated(packed)) {
    if (piece.length > 0) yield piece;
    blocks += 1;
    if (blocks % BLOCKS_A_TURN === 0) await nextTurn();
  }
}
