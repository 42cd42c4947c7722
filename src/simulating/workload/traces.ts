/** Reads published traces of LLM services: when requests came, how long they were, which prefixes they share. */
import { UserError } from '../../core/errors.ts';

export interface TracedRequest {
  /** Seconds since the trace's first request. */
  readonly time: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Ids of the leading 512-token blocks; equal ids in equal places are equal text. Mooncake only. */
  readonly prefixIds?: readonly number[];
}

/** Tokens a Mooncake hash id stands for. */
export const MOONCAKE_BLOCK_TOKENS = 512;

/** @throws {UserError} naming the line that is not of the trace's form. */
export function parseTrace(text: string, name: string): readonly TracedRequest[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new UserError(`trace ${name}: is empty.`);
  const requests = lines[0]!.startsWith('{') ? mooncake(lines, name) : azure(lines, name);
  return requests.toSorted((a, b) => a.time - b.time);
}

/** `TIMESTAMP,ContextTokens,GeneratedTokens` (Patel et al., Splitwise, ISCA 2024). */
function azure([head, ...lines]: readonly string[], name: string): TracedRequest[] {
  if (!head?.toLowerCase().startsWith('timestamp,contexttokens,generatedtokens'))
    throw new UserError(`trace ${name}: line 1 is neither Azure's header nor a JSON line of Mooncake's.`);
  let start: number | undefined;
  return lines.map((line, i) => {
    const [stamp = '', prompt, output] = line.split(',');
    // Seven decimals of a second are more than Date reads.
    const time =
      Date.parse(`${stamp.slice(0, 19).replace(' ', 'T')}Z`) / 1000 + Number(`0${stamp.slice(19)}`);
    start ??= time;
    return checked(
      { time: time - start, promptTokens: Number(prompt), outputTokens: Number(output) },
      name,
      i + 2,
    );
  });
}

/** `{timestamp (ms), input_length, output_length, hash_ids}` (Qin et al., Mooncake, FAST 2025). */
function mooncake(lines: readonly string[], name: string): TracedRequest[] {
  return lines.map((line, i) => {
    let row: Record<string, unknown>;
    try {
      row = JSON.parse(line) as Record<string, unknown>;
    } catch (cause) {
      throw new UserError(`trace ${name}: line ${i + 1} is not valid JSON.`, { cause });
    }
    const ids = row.hash_ids;
    const request = {
      time: Number(row.timestamp) / 1000,
      promptTokens: Number(row.input_length),
      outputTokens: Number(row.output_length),
      ...(Array.isArray(ids) ? { prefixIds: ids.map(Number) } : {}),
    };
    return checked(request, name, i + 1);
  });
}

function checked(request: TracedRequest, name: string, line: number): TracedRequest {
  const { time, promptTokens, outputTokens } = request;
  if (Number.isFinite(time) && promptTokens >= 0 && outputTokens >= 0)
    return { ...request, promptTokens: Math.max(1, promptTokens), outputTokens: Math.max(1, outputTokens) };
  throw new UserError(`trace ${name}: line ${line} lacks a time or a length.`);
}
