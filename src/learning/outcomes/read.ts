/** Reads outcomes from files, and says what was done about everything in them that is not as it should be. */
import { UserError } from '../../core/errors.ts';
import { nearestName } from '../../core/suggest.ts';
import { findSources } from '../training/sources/files.ts';
import { readRecords } from '../training/sources/read.ts';
import { type FieldNames, type OutcomeRecord, type RawRecord, readOutcome } from './fields.ts';
import { Gathered } from './gathered.ts';
import type { Outcomes } from './outcomes.ts';
import type { Scale } from './scale.ts';

/** An expert of a config. */
export interface KnownExpert {
  readonly id: string;
  /** What its server calls the model; scores may be under this name. */
  readonly model?: string | undefined;
}

export interface OutcomeOptions extends FieldNames {
  /** How scores are to be read; found from their values when absent. */
  readonly scale?: Scale;
  /** Names in the file → ids of experts. */
  readonly rename?: Readonly<Record<string, string>>;
  /** The experts that there are; all in the file when absent. */
  readonly known?: readonly KnownExpert[];
  /** An expert with fewer scores is left out; 12 when absent. */
  readonly leastScores?: number;
  /** Judge repeated prompts as often as they occur, instead of once by their mean scores. */
  readonly keepRepeats?: boolean;
  readonly onBytes?: (count: number) => void;
}

const COMPLAINTS_KEPT = 5;

/** @throws UserError when a file cannot be read, has no such field, or holds nothing that experts could be judged by */
export async function readOutcomes(
  paths: readonly string[],
  options: OutcomeOptions = {},
): Promise<Outcomes> {
  const files = await findSources(paths, []);
  const reading = new Reading(options);
  for (const file of files) {
    const records = readRecords(file, {
      onBroken: (path, why) => reading.broken(`${path}: ${why}`),
      onNotice: (path, what) => reading.notices.push(`${path}: ${what}`),
      ...(options.onBytes ? { onBytes: options.onBytes } : {}),
    });
    for await (const record of records) reading.take(record);
  }
  return reading.end(files.length === 1 ? files[0]!.path : `${files.length} files`);
}

/** The same from records in memory. @throws UserError as `readOutcomes` does */
export function outcomesOf(records: Iterable<RawRecord>, options: OutcomeOptions = {}): Outcomes {
  const reading = new Reading(options);
  for (const record of records) reading.take(record);
  return reading.end('the records given');
}

class Reading {
  readonly notices: string[] = [];
  readonly #options: OutcomeOptions;
  readonly #fields = new Set<string>();
  readonly #complaints: string[] = [];
  readonly #gathered: Gathered;
  readonly #renamed = new Map<string, string>();
  #broken = 0;
  #records = 0;
  #prompts = 0;
  #judged = 0;

  constructor(options: OutcomeOptions) {
    this.#options = options;
    this.#gathered = new Gathered(options.keepRepeats ?? false);
  }

  broken(why: string): void {
    this.#broken += 1;
    if (this.#complaints.length < COMPLAINTS_KEPT) this.#complaints.push(why);
  }

  take(record: RawRecord): void {
    this.#records += 1;
    for (const name of Object.keys(record)) if (this.#fields.size < 40) this.#fields.add(name);
    const outcome = readOutcome(record, this.#options);
    if (outcome.prompt === null) return;
    this.#prompts += 1;
    if (outcome.readings.length === 0 && outcome.labels.length === 0) return;
    this.#judged += 1;
    this.#gathered.add({ ...outcome, prompt: outcome.prompt, readings: this.#known(outcome) });
  }

  #known({ readings }: OutcomeRecord): OutcomeRecord['readings'] {
    return readings.map((reading) => ({ ...reading, expert: this.idOf(reading.expert) }));
  }

  /** By the names the user gave, else by the names of the config's models. */
  idOf(name: string): string {
    const { rename, known } = this.#options;
    if (rename && Object.hasOwn(rename, name)) return rename[name]!;
    if (!known || known.some(({ id }) => id === name)) return name;
    const expert = known.find(({ model }) => model === name);
    if (expert) this.#renamed.set(name, expert.id);
    return expert?.id ?? name;
  }

  end(where: string): Outcomes {
    this.#requireSomething(where);
    if (this.#broken > 0)
      this.notices.push(`${this.#broken} records cannot be read: ${this.#complaints.join('; ')}`);
    const without = this.#records - this.#judged;
    if (without > 0)
      this.notices.push(`${without} of ${this.#records} records have no prompt or nothing to judge by`);
    for (const [name, id] of this.#renamed)
      this.notices.push(`'${name}' is the model of expert '${id}' in the config, and counts as it`);
    const outcomes = this.#gathered.outcomes({
      ...this.#options,
      idOf: (name) => this.idOf(name),
      notices: this.notices,
    });
    this.#compare(outcomes.experts);
    return outcomes;
  }

  #requireSomething(where: string): void {
    const { field, label, scores = [] } = this.#options;
    const fields = `The fields are: ${[...this.#fields].join(', ')}.`;
    if (this.#records === 0) throw new UserError(`No record found in ${where}.`);
    for (const [option, name] of [
      ['--field', field],
      ['--label', label],
      ...scores.map((one) => ['--scores', one] as const),
    ] as const) {
      if (name !== undefined && !this.#fields.has(name))
        throw new UserError(`${where}: there is no field '${name}' (${option}). ${fields}`);
    }
    if (this.#prompts === 0)
      throw new UserError(
        `${where}: no prompt found. ${fields} If one of them is the prompt, name it: --field <name>.`,
      );
    if (this.#judged === 0)
      throw new UserError(
        `${where}: no scores found. ${fields} Known layouts: "scores": {"<expert>": 0.8}, columns such as scores.<expert>, ` +
          'or "expert" and "score" in each record; --scores names columns that are experts, --label a column that names the right one.',
      );
  }

  /** What of the file is not in the config, and the other way round. */
  #compare(experts: readonly string[]): void {
    const { known } = this.#options;
    if (!known) return;
    const ids = known.map(({ id }) => id);
    const foreign = experts.filter((expert) => !ids.includes(expert));
    const unscored = ids.filter((id) => !experts.includes(id));
    if (foreign.length === experts.length) {
      const near = nearestName(experts[0]!, ids);
      throw new UserError(
        `No expert of the config has scores. Scored are: ${experts.slice(0, 8).join(', ')}; the config has: ${ids.join(', ')}. ` +
          `Say which is which: --rename "${experts[0]}=${near ?? ids[0]}".`,
      );
    }
    if (foreign.length > 0)
      this.notices.push(
        `scored, but not in the config: ${foreign.join(', ')}; they help to tell easy prompts from hard ones and are never chosen`,
      );
    if (unscored.length > 0)
      this.notices.push(
        `in the config, but not scored: ${unscored.join(', ')}; they get prompts by their description, their samples or by name, not by scores`,
      );
  }
}
