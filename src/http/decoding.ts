/** Undoes the content coding of a response as it comes, whether or not that was asked for (RFC 9110, section 8.4). */
import { Transform, type TransformCallback } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { type ResponseHandler, WireError } from './response-handler.ts';
import type { ResponseHead } from './response-parser.ts';
import { ZstdInflater } from './zstd.ts';

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: () => new ZstdDecompress(),
};

/** More than these nobody has a reason for. */
const MOST_CODINGS = 2;

/** In the order in which they undo; null where nothing is coded, or in a way that cannot be undone here. */
export function decodersOf({ headers }: ResponseHead): readonly Transform[] | null {
  const named = headers['content-encoding']?.toLowerCase().split(',') ?? [];
  const codings = named.map((one) => one.trim()).filter((one) => one !== '' && one !== 'identity');
  const known = codings.every((one) => Object.hasOwn(DECODERS, one));
  if (codings.length === 0 || codings.length > MOST_CODINGS || !known) return null;
  // The last was put on last.
  return codings.toReversed().map((one) => DECODERS[one]!());
}

/** A few bytes may inflate to gigabytes: one block a turn, and no more than is read. */
class ZstdDecompress extends Transform {
  readonly #inflater = new ZstdInflater();
  /** Goes on once what was inflated has been read; null while nothing waits for that. */
  #goOn: (() => void) | null = null;

  override _transform(bytes: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#inflate(this.#inflater.push(bytes), done);
  }

  override _flush(done: TransformCallback): void {
    this.#inflate(this.#inflater.end(), done);
  }

  override _read(size: number): void {
    const goOn = this.#goOn;
    if (goOn === null) {
      super._read(size);
      return;
    }
    this.#goOn = null;
    setImmediate(goOn);
  }

  #inflate(pieces: Iterator<Uint8Array>, done: TransformCallback): void {
    if (this.destroyed) return;
    try {
      const { value, done: over } = pieces.next();
      if (over) {
        done();
        return;
      }
      const goOn = () => this.#inflate(pieces, done);
      if (value.length === 0 || this.push(value)) setImmediate(goOn);
      else this.#goOn = goOn;
    } catch (error) {
      done(error as Error);
    }
  }
}

/** Stands between an exchange and its handler. */
export class Decoding implements ResponseHandler {
  readonly #decoders: readonly Transform[];
  /** What takes the coded bytes, and what gives the plain ones. */
  readonly #first: Transform;
  readonly #last: Transform;
  readonly #handler: ResponseHandler;
  #surplus = false;

  /** @param more called when the decoders take more bytes, after `data` was false */
  constructor(decoders: readonly Transform[], handler: ResponseHandler, more: () => void) {
    this.#decoders = decoders;
    this.#first = decoders[0]!;
    this.#last = decoders.at(-1)!;
    this.#handler = handler;
    for (const [at, decoder] of decoders.entries()) {
      decoder.on('error', (error) => this.#broken(error));
      if (at > 0) decoders[at - 1]!.pipe(decoder);
    }
    this.#last.on('data', (payload: Buffer) => {
      if (!handler.data(payload)) this.#last.pause();
    });
    this.#first.on('drain', more);
    this.#last.on('end', () => handler.end(this.#surplus));
  }

  #broken(error: Error): void {
    this.cancel();
    this.#handler.fail(new WireError('cut', `its compressed body broke off: ${error.message}`, error));
  }

  /** Without what described the coded bytes. */
  head({ status, headers }: ResponseHead): void {
    const { 'content-encoding': _encoding, 'content-length': _length, ...others } = headers;
    this.#handler.head({ status, headers: others });
  }

  data(payload: Buffer): boolean {
    // After an error the rest is of no use.
    return this.#first.destroyed || this.#first.write(payload);
  }

  end(surplus: boolean): void {
    this.#surplus = surplus;
    if (!this.#first.destroyed) this.#first.end();
  }

  fail(error: WireError): void {
    this.cancel();
    this.#handler.fail(error);
  }

  resume(): void {
    this.#last.resume();
  }

  cancel(): void {
    for (const decoder of this.#decoders) {
      decoder.removeAllListeners();
      decoder.on('error', () => {}); // of what was still being decoded
      decoder.destroy();
    }
  }
}
