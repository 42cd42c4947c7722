/** A request in one line for the log: `name=value` pairs, the same for every request. */
import type { RequestNote } from '../../serving/front/request-note.ts';

/** A value that needs no quotes. */
const PLAIN = /^[\w./:{}-]+$/;

/** What is logged of a request; what is not known is left out. */
export function requestFields(note: RequestNote): Record<string, string | number> {
  const { at, traceId, method, path, key, status, whole, error, expert, replica, tries } = note;
  const end = status === null ? 'left' : whole ? 'whole' : 'cut';
  const fields: Record<string, string | number | null> = {
    time: new Date(at).toISOString(),
    trace: traceId,
    method,
    path,
    key,
    status,
    end,
    error,
    expert,
    replica: replica === expert ? null : replica,
    tries: tries === 0 ? null : tries,
    reason: note.reason,
    cluster: note.cluster,
    prompt_tokens: note.promptTokens,
    completion_tokens: note.completionTokens,
    usd: note.usd,
    first_ms: note.firstMs === null ? null : Math.round(note.firstMs),
    total_ms: Math.round(note.totalMs),
  };
  const known = Object.entries(fields).filter(
    (field): field is [string, string | number] => field[1] !== null,
  );
  return Object.fromEntries(known);
}

export function requestLine(note: RequestNote): string {
  return Object.entries(requestFields(note))
    .map(([name, value]) => `${name}=${quoted(String(value))}`)
    .join(' ');
}

function quoted(value: string): string {
  return PLAIN.test(value) ? value : JSON.stringify(value);
}
