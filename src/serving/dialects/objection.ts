/** What a server objected to, recognised by the words that engines and clouds use, whatever their dialect. */
import type { Objection } from '../reply/failure.ts';

const FILTERS = ['content_filter', 'content_policy', 'contentfilter', 'moderation', 'data_inspection_failed'];

const TOO_LONG = [
  'context length',
  'context window',
  'context size',
  'prompt is too long',
  'input is too long',
];

/** Statuses under which servers refuse a prompt that does not fit. */
const REFUSED = [400, 413, 422];

interface Said {
  readonly status: number;
  readonly message: string;
  readonly type: string | null;
  readonly code: string | null;
}

export function objectionIn({ status, message, type, code }: Said): Objection | null {
  if (code === 'context_length_exceeded') return 'length';
  const said = message.slice(0, 1000).toLowerCase();
  if (REFUSED.includes(status) && TOO_LONG.some((words) => said.includes(words))) return 'length';
  const names = `${code} ${type}`.toLowerCase();
  return FILTERS.some((name) => names.includes(name)) ? 'content' : null;
}
