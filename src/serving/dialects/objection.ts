/** What a server objected to, recognised by the words that engines and clouds use, whatever their dialect. */
import type { Objection } from '../reply/failure.ts';

const FILTERS = [
  'content_filter',
  'content_policy',
  'contentfilter',
  'moderation',
  'data_inspection_failed',
  'datainspectionfailed',
  'guardrail',
];
/** The same in a message. */
const FILTERED = [
  'flagged',
  'moderation',
  'content policy',
  'content filter',
  'content management policy',
  'content exists risk',
  'safety system',
  'guardrail',
  'inappropriate content',
];
/** Statuses under which filters refuse. */
const FILTER_STATUSES = [400, 403, 422];

const TOO_LONG = [
  'context length',
  'context window',
  'context size',
  'context limit',
  'prompt is too long',
  'input is too long',
];
/** A message that has one of each. */
const LENGTHS = ['token', 'prompt', 'sequence', 'max_seq_len', 'max_input_len', 'session_len'];
const BEYOND = ['exceed', 'too long', 'too large', 'longer than', 'maximum', 'must be <=', 'window'];
/** Statuses under which servers refuse a prompt that does not fit. */
const REFUSED = [400, 413, 422];

/** Of the key, the credit or the model's name that the config gives. */
const SETUP_CODES = [
  'model_not_found',
  'model_not_exist',
  'invalid_model',
  'invalid_api_key',
  'api_key_invalid',
  'insufficient_quota',
  'billing_hard_limit_reached',
  'billing_not_active',
];
const SETUP = [
  'model not exist',
  'model does not exist',
  'model not found',
  'unknown model',
  'no such model',
  'api key not valid',
  'invalid api key',
  'incorrect api key',
  'insufficient balance',
  'insufficient quota',
  'insufficient credit',
  'credit balance is too low',
];
/** Statuses under which some refuse them, instead of 401 to 404. */
const SETUP_STATUSES = [400, 422];

interface Said {
  readonly status: number;
  readonly message: string;
  readonly type: string | null;
  readonly code: string | null;
}

export function objectionIn({ status, message, type, code }: Said): Objection | null {
  if (code === 'context_length_exceeded') return 'length';
  const said = message.slice(0, 1000).toLowerCase();
  const says = (words: readonly string[]): boolean => words.some((word) => said.includes(word));
  const names = `${code} ${type}`.toLowerCase();
  const named = (some: readonly string[]): boolean => some.some((name) => names.includes(name));
  if (named(FILTERS) || (FILTER_STATUSES.includes(status) && says(FILTERED))) return 'content';
  if (SETUP_STATUSES.includes(status) && (named(SETUP_CODES) || says(SETUP))) return 'setup';
  const isLength = says(TOO_LONG) || (says(LENGTHS) && says(BEYOND));
  return REFUSED.includes(status) && isLength ? 'length' : null;
}
