/** Splits bytes into lines, wherever the pieces were cut. A longer line than is kept comes as null. */
const LF = 0x0a;
const MOST_LINE = 1024 * 1024;

export class JsonLines {
  readonly #take: (line: string | null) => void;
  #kept: Buffer[] = [];
  #bytes = 0;

  constructor(take: (line: string | null) => void) {
    this.#take = take;
  }

  push(bytes: Buffer): void {
    let from = 0;
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, from)) {
      this.#keep(bytes.subarray(from, end));
      this.end();
      from = end + 1;
    }
    if (from < bytes.length) this.#keep(bytes.subarray(from));
  }

  /** What was begun is a line too. */
  end(): void {
    const [kept, bytes] = [this.#kept, this.#bytes];
    this.#kept = [];
    this.#bytes = 0;
    if (bytes > MOST_LINE) this.#take(null);
    else if (bytes > 0) this.#take(Buffer.concat(kept).toString('utf8'));
  }

  #keep(bytes: Buffer): void {
    this.#bytes += bytes.length;
    if (this.#bytes <= MOST_LINE) this.#kept.push(bytes);
    else this.#kept = [];
  }
}
