/** What one record says: a prompt, and the score, cost and latency of experts on it, in any of the usual layouts. */
import { promptsOf } from '../training/sources/prompts.ts';

export type RawRecord = Readonly<Record<string, unknown>>;

/** Fields with unusual names, and names of the experts whose columns hold scores alone. */
export interface FieldNames {
  /** Of the prompt. */
  readonly field?: string;
  readonly task?: string;
  readonly label?: string;
  /** Columns that are experts: their cells are scores. */
  readonly scores?: readonly string[];
  /** Go by labels even where there are scores. */
  readonly labelsOnly?: boolean;
}

/** Of one expert on one prompt; NaN for what is not said. */
export interface Reading {
  readonly expert: string;
  readonly score: number;
  readonly cost: number;
  readonly latency: number;
}

export interface OutcomeRecord {
  readonly prompt: string | null;
  readonly task: string | null;
  /** The experts that are right, the first one above all; empty where not said. */
  readonly labels: readonly string[];
  readonly readings: readonly Reading[];
}

type Measure = 'score' | 'cost' | 'latency';

const MEASURES: Readonly<Record<string, Measure>> = {
  score: 'score',
  scores: 'score',
  quality: 'score',
  reward: 'score',
  rewards: 'score',
  cost: 'cost',
  costs: 'cost',
  total_cost: 'cost',
  latency: 'latency',
  latencies: 'latency',
  seconds: 'latency',
};

const TASK_FIELDS = ['task', 'category', 'dataset', 'subject', 'eval_name'] as const;
const EXPERT_FIELDS = ['expert', 'model'] as const;
const LABEL_FIELD = 'label';
const SEPARATORS = /[.:|/]/;

export function readOutcome(record: RawRecord, names: FieldNames): OutcomeRecord {
  return {
    prompt:
      promptsOf(record, names.field === undefined ? {} : { field: names.field })
        .at(-1)
        ?.trim() || null,
    task: textIn(record, names.task === undefined ? TASK_FIELDS : [names.task]),
    labels: labelsIn(record, names.label ?? LABEL_FIELD),
    readings: names.labelsOnly ? [] : readingsIn(record, names),
  };
}

function textIn(record: RawRecord, fields: readonly string[]): string | null {
  for (const field of fields) {
    const value = record[field];
    if (typeof value === 'string' && value.trim() !== '') return value.trim();
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  }
  return null;
}

/** A label, or a list of labels any of which is right. */
function labelsIn(record: RawRecord, field: string): readonly string[] {
  const value = record[field];
  if (Array.isArray(value))
    return value.filter((one): one is string => typeof one === 'string' && one !== '');
  const label = textIn(record, [field]);
  return label === null ? [] : [label];
}

function readingsIn(record: RawRecord, names: FieldNames): Reading[] {
  const found = new Map<string, Record<Measure, number>>();
  const note = (expert: string, measure: Measure, value: unknown): void => {
    const number = numberOf(value);
    if (expert === '' || Number.isNaN(number)) return;
    const entry = found.get(expert) ?? { score: Number.NaN, cost: Number.NaN, latency: Number.NaN };
    entry[measure] = number;
    found.set(expert, entry);
  };
  const expert = textIn(record, EXPERT_FIELDS);
  for (const [name, value] of Object.entries(record)) {
    const measure = MEASURES[name.toLowerCase()];
    if (names.scores?.includes(name)) note(name, 'score', value);
    else if (measure !== undefined && isMap(value))
      for (const [who, one] of Object.entries(value)) note(who, measure, one);
    else if (measure !== undefined && expert !== null) note(expert, measure, value);
    else {
      const column = expertColumn(name);
      if (column) note(column.expert, column.measure, value);
    }
  }
  return Array.from(found, ([who, entry]) => ({ expert: who, ...entry }));
}

/** `scores.gpt-4`, `gpt-4|total_cost`: an expert's name beside that of a measure. */
function expertColumn(name: string): { readonly expert: string; readonly measure: Measure } | undefined {
  const first = name.search(SEPARATORS);
  if (first < 0) return undefined;
  const ahead = MEASURES[name.slice(0, first).toLowerCase()];
  if (ahead !== undefined) return { expert: name.slice(first + 1), measure: ahead };
  const last = name.length - 1 - [...name].reverse().findIndex((letter) => SEPARATORS.test(letter));
  const behind = MEASURES[name.slice(last + 1).toLowerCase()];
  return behind === undefined ? undefined : { expert: name.slice(0, last), measure: behind };
}

function isMap(value: unknown): value is RawRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A decimal comma, as tables of many countries have, is read as a point. NaN for what is no number. */
export function numberOf(value: unknown): number {
  if (typeof value === 'number') return Number.isFinite(value) ? value : Number.NaN;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'boolean') return Number(value);
  if (typeof value !== 'string' || value.trim() === '') return Number.NaN;
  const text = value.trim().toLowerCase();
  if (text === 'true' || text === 'false') return Number(text === 'true');
  const number = Number(/^-?\d+,\d+$/.test(text) ? text.replace(',', '.') : text);
  return Number.isFinite(number) ? number : Number.NaN;
}
