/** Undoes the content coding of a response as it comes, whether or not that was asked for (RFC 9110, section 8.4). */
import { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { type ResponseHandler, WireError } from './response-handler.ts';
import type { ResponseHead } from './response-parser.ts';
import { ZstdInflater } from './zstd.ts';

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** Null where nothing is coded, or in a way that cannot be undone here. */
export function decoderOf({ headers }: ResponseHead): Transform | null {
  return DECODERS[headers['content-encoding']?.toLowerCase() ?? '']?.() ?? null;
}

function createZstdDecompress(): Transform {
  const inflater = new ZstdInflater();
  return new Transform({
    transform(bytes: Buffer, _encoding, done) {
      passOn(this, () => inflater.push(bytes), done);
    },
    flush(done) {
      passOn(this, () => inflater.end(), done);
    },
  });
}

function passOn(to: Transform, pieces: () => Iterable<Uint8Array>, done: (error?: Error) => void): void {
  try {
    for (const piece of pieces()) to.push(piece);
    done();
  } catch (error) {
    done(error as Error);
  }
}

/** Stands between an exchange and its handler. */
export class Decoding implements ResponseHandler {
  readonly #decoder: Transform;
  readonly #handler: ResponseHandler;
  #surplus = false;

  /** @param more called when the decoder takes more bytes, after `data` was false */
  constructor(decoder: Transform, handler: ResponseHandler, more: () => void) {
    this.#decoder = decoder;
    this.#handler = handler;
    decoder.on('data', (payload: Buffer) => {
      if (!handler.data(payload)) decoder.pause();
    });
    decoder.on('drain', more);
    decoder.on('end', () => handler.end(this.#surplus));
    decoder.on('error', (error) =>
      handler.fail(new WireError('cut', `its compressed body broke off: ${error.message}`, error)),
    );
  }

  /** Without what described the coded bytes. */
  head({ status, headers }: ResponseHead): void {
    const { 'content-encoding': _encoding, 'content-length': _length, ...others } = headers;
    this.#handler.head({ status, headers: others });
  }

  data(payload: Buffer): boolean {
    // After an error the rest is of no use.
    return this.#decoder.destroyed || this.#decoder.write(payload);
  }

  end(surplus: boolean): void {
    this.#surplus = surplus;
    if (!this.#decoder.destroyed) this.#decoder.end();
  }

  fail(error: WireError): void {
    this.cancel();
    this.#handler.fail(error);
  }

  resume(): void {
    this.#decoder.resume();
  }

  cancel(): void {
    this.#decoder.removeAllListeners();
    this.#decoder.on('error', () => {}); // of what was still being decoded
    this.#decoder.destroy();
  }
}
