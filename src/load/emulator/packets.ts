/** Writes an answer's bytes as the plan says: as they come, with characters split in two, or byte by byte. */
import type { Socket } from 'node:net';
import type { AnswerPlan } from '../../serving/experts/emulated/misbehaviour.ts';

export interface PacketWriter {
  write(text: string): void;
  /** Runs `then` when everything written has been handed to the socket. */
  flush(then: () => void): void;
}

/** Long enough for the two halves of a character to be read apart on an idle machine. */
const APART_MS = 4;

export function packetWriter(socket: Socket, packets: AnswerPlan['packets']): PacketWriter {
  if (packets === 'bytes') return new Trickle(socket, singleBytes, (next) => void setImmediate(next));
  if (packets === 'split-utf8')
    return new Trickle(socket, cutCharacters, (next) => void setTimeout(next, APART_MS));
  return {
    write: (text) => {
      socket.write(text);
    },
    flush: (then) => then(),
  };
}

/** Sends pieces one after another, at least one turn of the event loop apart. */
class Trickle implements PacketWriter {
  readonly #socket: Socket;
  readonly #cut: (bytes: Buffer) => readonly Buffer[];
  readonly #later: (next: () => void) => void;
  readonly #pieces: (Buffer | (() => void))[] = [];
  #going = false;

  constructor(socket: Socket, cut: (bytes: Buffer) => readonly Buffer[], later: (next: () => void) => void) {
    this.#socket = socket;
    this.#cut = cut;
    this.#later = later;
  }

  write(text: string): void {
    this.#pieces.push(...this.#cut(Buffer.from(text)));
    if (!this.#going) this.#next();
  }

  flush(then: () => void): void {
    this.#pieces.push(then);
    if (!this.#going) this.#next();
  }

  readonly #next = (): void => {
    const piece = this.#pieces.shift();
    this.#going = piece !== undefined && !this.#socket.destroyed;
    if (!this.#going) return;
    if (typeof piece === 'function') piece();
    else this.#socket.write(piece!);
    this.#later(this.#next);
  };
}

function singleBytes(bytes: Buffer): readonly Buffer[] {
  return Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
}

/** Splits after the first byte of every multi-byte character. */
export function cutCharacters(bytes: Buffer): readonly Buffer[] {
  const pieces: Buffer[] = [];
  let from = 0;
  bytes.forEach((byte, at) => {
    if (byte < 0xc0) return;
    pieces.push(bytes.subarray(from, at + 1));
    from = at + 1;
  });
  return [...pieces, bytes.subarray(from)];
}
