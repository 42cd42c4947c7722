/**
 * Finds what a reply says of itself — usage and finish reason — in its last bytes, without decoding or parsing the
 * rest, however the bytes were cut into chunks. It never changes or delays them.
 */
import type { FinishReason, Usage } from '../../../core/openai.ts';
import type { Outcome } from '../expert.ts';

/** Usage comes in the last event of a stream and near the end of a plain body; this much holds either. */
const TAIL_BYTES = 4096;

const FINISH_REASONS: readonly string[] = [
  'stop',
  'length',
  'content_filter',
  'tool_calls',
] satisfies FinishReason[];

export class ReplyTail {
  readonly #ring = Buffer.allocUnsafe(2 * TAIL_BYTES);
  #filled = 0;

  push(chunk: Uint8Array): void {
    const bytes = chunk.length > TAIL_BYTES ? chunk.subarray(chunk.length - TAIL_BYTES) : chunk;
    if (this.#filled + bytes.length > this.#ring.length) {
      this.#ring.copyWithin(0, this.#filled - TAIL_BYTES, this.#filled);
      this.#filled = TAIL_BYTES;
    }
    this.#ring.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  get isEmpty(): boolean {
    return this.#filled === 0;
  }

  get endsInBlankLine(): boolean {
    return /\n\r?\n$/.test(this.text().slice(-4));
  }

  /** The last bytes as text; its first character may be half of one. */
  text(): string {
    return this.#ring.toString('utf8', 0, this.#filled);
  }

  /**
   * How a stream ended: with its last event (`done`), with a reason to finish and no such event (`finished`), or with
   * neither (`broken`).
   */
  end(): 'done' | 'finished' | 'broken' {
    const text = this.text();
    if (/^data:\s*\[DONE\]\s*$/m.test(text)) return 'done';
    return /"finish_reason"\s*:\s*"/.test(text) ? 'finished' : 'broken';
  }

  /** What the reply said, to be asked once it is whole. Anything not found, or not of the right form, is `unknown`. */
  outcome(): Outcome {
    const text = this.text();
    return { usage: lastUsage(text), finishReason: lastFinishReason(text) };
  }
}

/**
 * The last `"usage":{…}`. Inside a JSON string its quotes would be escaped, so an unescaped match is a member; a null
 * (sent with every chunk by some servers) is passed over.
 */
function lastUsage(text: string): Usage | 'unknown' {
  for (const match of [...text.matchAll(/"usage"\s*:\s*\{/g)].reverse()) {
    const usage = readUsage(balanced(text, match.index + match[0].length - 1));
    if (usage) return usage;
  }
  return 'unknown';
}

function readUsage(json: string | null): Usage | null {
  if (json === null) return null;
  try {
    const { prompt_tokens, completion_tokens, total_tokens } = JSON.parse(json) as Record<string, unknown>;
    if (!isCount(prompt_tokens) || !isCount(completion_tokens)) return null;
    return {
      prompt_tokens,
      completion_tokens,
      total_tokens: isCount(total_tokens) ? total_tokens : prompt_tokens + completion_tokens,
    };
  } catch {
    return null; // what looked like usage is something else
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

/** The object that starts at `open`, up to its closing brace; null if it is not whole. */
function balanced(text: string, open: number): string | null {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === '{') depth += 1;
    else if (text[i] === '}' && --depth === 0) return text.slice(open, i + 1);
  }
  return null;
}

function lastFinishReason(text: string): FinishReason | 'unknown' {
  const found = [...text.matchAll(/"finish_reason"\s*:\s*"([a-z_]+)"/g)].at(-1)?.[1];
  return found !== undefined && FINISH_REASONS.includes(found) ? (found as FinishReason) : 'unknown';
}
