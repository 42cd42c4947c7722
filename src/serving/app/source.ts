/** A config wherever it comes from: a file, YAML as text, or an object. */
import { fileURLToPath } from 'node:url';
import { isMap, parseDocument } from 'yaml';
import { type Catalogue, catalogueWith } from '../config/catalogue.ts';
import { configFrom, configOf, readConfig } from '../config/load.ts';
import type { Config, ConfigInput } from '../config/schema.ts';

/**
 * A config: the path or `file:` URL of a YAML file, YAML itself, or an object with the same fields. Text is YAML when
 * it has several lines or is a mapping. Relative paths in a file are meant from its folder, all others from the
 * working directory.
 */
export type ConfigSource = string | URL | ConfigInput;

/** A config as read. */
export interface Source {
  readonly config: Config;
  /** Where it was read from; null where that is no file. */
  readonly file: string | null;
  /** What the file said. */
  readonly text: string;
}

interface Reading {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly catalogue: Catalogue;
}

/** @throws UserError when the file cannot be read, and naming every problem of the config */
export async function readSource(given: ConfigSource, reading: Reading): Promise<Source> {
  if (typeof given === 'string' && isYaml(given)) return sourceOf(given, null, reading);
  if (typeof given === 'string' || given instanceof URL) {
    const file = given instanceof URL ? fileURLToPath(given) : given;
    return sourceOf(await readConfig(file), file, reading);
  }
  return { config: configOf(given, process.cwd(), reading.catalogue), file: null, text: '' };
}

/** What a config may use besides what ships. */
export interface CheckOptions extends Partial<Catalogue> {
  /** What `${NAME}` in a text stands for; the process's own environment when absent. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads a config and checks it, without starting anything.
 * @returns all its settings, with durations in milliseconds and paths made absolute
 * @throws UserError naming every problem, with its place in a file
 * @example
 * const { experts } = await checkConfig('experts.yaml');
 */
export async function checkConfig(config: ConfigSource, options: CheckOptions = {}): Promise<Config> {
  const { environment = process.env } = options;
  return (await readSource(config, { environment, catalogue: catalogueWith(options) })).config;
}

/** @throws UserError naming every problem */
export function sourceOf(text: string, file: string | null, { environment, catalogue }: Reading): Source {
  return { config: configFrom(text, file ?? 'config', environment, catalogue), file, text };
}

function isYaml(text: string): boolean {
  return text.includes('\n') || isMap(parseDocument(text).contents);
}
