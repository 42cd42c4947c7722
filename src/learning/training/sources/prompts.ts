/**
 * Finds the prompts in one parsed record, whatever its shape: a string, an object with a prompt field, a chat log in
 * OpenAI's or ShareGPT's form, or a nest of these.
 */
import { readContent } from '../../../deciding/text/routable.ts';

/** Fields that hold a prompt, in the order they are looked for; an `input` beside an instruction is appended. */
export const PROMPT_FIELDS = [
  'prompt',
  'instruction',
  'question',
  'query',
  'user_input',
  'text',
  'input',
  'content',
  'sentence',
  'body',
] as const;

/** Fields that hold lists of turns: OpenAI's, ShareGPT's and other common ones. */
const CHAT_FIELDS = ['messages', 'conversations', 'conversation', 'utterances', 'turns', 'dialog'] as const;
const USER_ROLES = new Set(['user', 'human', 'prompter']);
const ROLE_FIELDS = ['role', 'from', 'name', 'speaker'] as const;
const TEXT_FIELDS = ['content', 'value', 'text', 'message'] as const;

type Fields = Readonly<Record<string, unknown>>;

export interface Looking {
  /** Where to look instead of the usual places. */
  readonly field?: string;
  /** Records in which a field has one of these values are left out. */
  readonly skipLabels?: readonly string[];
}

/** The prompts of a record. */
export function promptsOf(record: unknown, looking: Looking = {}): readonly string[] {
  if (typeof record === 'string') return looking.field === undefined ? [record] : [];
  if (Array.isArray(record)) return promptsOfList(record, looking);
  if (typeof record !== 'object' || record === null) return [];
  const fields = record as Fields;
  if (isSkipped(Object.values(fields), looking)) return [];
  const { field } = looking;
  if (field !== undefined && field in fields) return chatOrText(fields[field]);
  if (field === undefined) {
    const own = chatPrompts(fields) ?? fieldPrompt(fields);
    if (own) return own;
  }
  // A container, such as a data set with a list of examples inside.
  return Object.values(fields).flatMap((value) => (isNest(value) ? promptsOf(value, looking) : []));
}

/** The names of a record's fields; for a list, of its first record. */
export function fieldsOf(record: unknown): readonly string[] {
  if (Array.isArray(record)) return record.length > 0 ? fieldsOf(record[0]) : [];
  return typeof record === 'object' && record !== null ? Object.keys(record) : [];
}

/** Whether a record has a label that is to be skipped. */
export function isSkipped(values: readonly unknown[], { skipLabels = [] }: Looking): boolean {
  return skipLabels.length > 0 && values.some((value) => skipLabels.includes(value as string));
}

/** A named field holds a chat, a text or a list of parts. */
function chatOrText(value: unknown): readonly string[] {
  return (Array.isArray(value) ? chatPrompts({ messages: value }) : undefined) ?? textsOf(value);
}

function promptsOfList(list: readonly unknown[], looking: Looking): readonly string[] {
  if (list.length > 0 && list.every(isRowOfStrings)) return tablePrompts(list, looking);
  return chatPrompts({ messages: list }) ?? list.flatMap((item) => promptsOf(item, looking));
}

function isNest(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function isRowOfStrings(row: unknown): row is readonly string[] {
  return Array.isArray(row) && row.length > 1 && row.every((cell) => typeof cell === 'string');
}

/** Rows without a header: the column with the longest texts is the prompt. */
function tablePrompts(rows: readonly (readonly string[])[], looking: Looking): readonly string[] {
  const column = longestColumn(rows);
  return rows.flatMap((row) => (isSkipped(row, looking) ? [] : (row[column] ?? [])));
}

/** The column with the most text in it. */
export function longestColumn(rows: readonly (readonly string[])[]): number {
  const lengths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) lengths[index] = (lengths[index] ?? 0) + cell.length;
  }
  return lengths.indexOf(Math.max(...lengths));
}

function chatPrompts(fields: Fields): readonly string[] | undefined {
  for (const name of CHAT_FIELDS) {
    const turns = fields[name];
    if (!Array.isArray(turns) || turns.length === 0) continue;
    if (turns.every((turn) => typeof turn === 'string')) return name === 'messages' ? undefined : turns;
    const prompts = turns.flatMap(userText);
    if (prompts.length > 0) return prompts;
  }
  return undefined;
}

function userText(turn: unknown): readonly string[] {
  if (typeof turn !== 'object' || turn === null) return [];
  const fields = turn as Fields;
  const role = ROLE_FIELDS.map((name) => fields[name]).find((value) => typeof value === 'string');
  if (!USER_ROLES.has(String(role))) return [];
  const content = TEXT_FIELDS.map((name) => fields[name]).find((value) => value !== undefined);
  return textsOf(content);
}

function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'number') return [String(value)];
  const { text } = readContent(value);
  if (text !== '') return [text];
  return isNest(value) ? promptsOf(value) : [];
}

function fieldPrompt(fields: Fields): readonly string[] | undefined {
  for (const name of PROMPT_FIELDS) {
    const value = fields[name];
    if (typeof value !== 'string' || value === '') continue;
    const input = name === 'instruction' || name === 'prompt' ? fields.input : undefined;
    return [typeof input === 'string' && input !== '' ? `${value}\n${input}` : value];
  }
  return undefined;
}
