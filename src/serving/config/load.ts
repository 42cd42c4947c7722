/**
 * Reads a config file: YAML, `${NAME}` from the environment (`$${NAME}` is the text itself), then the schema. Problems come
 * all at once, each with its place.
 */
import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { Document, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { describeError, UserError } from '../../core/errors.ts';
import { type Catalogue, SHIPPED } from './catalogue.ts';
import { type Checked, describeProblems } from './problems.ts';
import { type Config, configJsonSchema, configSchema } from './schema.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws UserError when the file cannot be read or is not a valid config. */
export async function loadConfig(
  file: string,
  environment: Environment,
  catalogue: Catalogue = SHIPPED,
): Promise<Config> {
  return configFrom(await readConfig(file), file, environment, catalogue);
}

/** @throws UserError when the file cannot be read */
export async function readConfig(file: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new UserError(`Cannot read the config ${file}: ${describeError(error)}`);
  }
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    throw new UserError(`The config ${file} is UTF-16, as PowerShell writes it; save it as UTF-8.`);
  return bytes.toString('utf8');
}

/** The config that `text`, once read from `file`, is. @throws UserError naming every problem */
export function configFrom(
  text: string,
  file: string,
  environment: Environment,
  catalogue: Catalogue = SHIPPED,
): Config {
  return fromFolder(parseConfig(text, file, environment, catalogue), dirname(file), catalogue);
}

/**
 * The config that an object is, taken as it stands: `${NAME}` in it is text.
 * @param folder that its relative paths are meant from
 * @throws UserError naming every problem
 */
export function configOf(value: unknown, folder: string, catalogue: Catalogue = SHIPPED): Config {
  const written = { file: 'config', document: new Document(value), lines: new LineCounter() };
  return fromFolder(checked(value, written, catalogue), folder, catalogue);
}

/** A path in a config is meant from where the config lies, not from where the command was typed. */
function fromFolder(config: Config, folder: string, catalogue: Catalogue): Config {
  return withPaths(config, catalogue, (path) => resolve(folder, path));
}

/** Equal for configs that read the same, wherever they and what they name lie. */
export function digestOf(config: Config, catalogue: Catalogue): string {
  const anywhere = withPaths(config, catalogue, (path) => basename(path));
  return hash('sha256', JSON.stringify(anywhere)).slice(0, 12);
}

/** With every path in it changed. */
function withPaths(config: Config, { kinds }: Catalogue, change: (path: string) => string): Config {
  const experts = config.experts.map((expert) => {
    const paths = kinds.find(({ kind }) => kind === expert.kind)?.paths ?? [];
    const given = paths.filter((name) => typeof expert[name] === 'string');
    const file = fileOf(expert);
    return {
      ...expert,
      ...Object.fromEntries(given.map((name) => [name, change(expert[name] as string)])),
      ...(file === null ? {} : { discover: { file: change(file) } }),
    };
  });
  const { router, shadow, tls, reports, records, audit, limits } = config;
  const inFolder = <Of extends { readonly dir: string }>(of: Of): Of => ({ ...of, dir: change(of.dir) });
  return {
    ...config,
    experts,
    ...(router ? { router: change(router) } : {}),
    ...(shadow ? { shadow: change(shadow) } : {}),
    ...(reports === undefined ? {} : { reports: change(reports) }),
    ...(tls ? { tls: changedTls(tls, change) } : {}),
    ...(records ? { records: inFolder(records) } : {}),
    ...(audit ? { audit: inFolder(audit) } : {}),
    ...(limits.dir === undefined ? {} : { limits: { ...limits, dir: change(limits.dir) } }),
  };
}

/** The file that lists an expert's replicas; null for none. */
function fileOf({ discover }: Config['experts'][number]): string | null {
  return (discover as { file?: string } | undefined)?.file ?? null;
}

type Tls = NonNullable<Config['tls']>;

function changedTls({ cert, key, client_ca }: Tls, change: (path: string) => string): Tls {
  return {
    cert: change(cert),
    key: change(key),
    ...(client_ca === undefined ? {} : { client_ca: change(client_ca) }),
  };
}

/** @throws UserError naming every problem as `file:line:column: field: what is wrong`. */
export function parseConfig(
  text: string,
  file: string,
  environment: Environment,
  catalogue: Catalogue = SHIPPED,
): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error', // what it would only warn of, the schema refuses
  });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw new UserError(
      document.errors.map((error) => `${at(error.pos[0])}: not YAML: ${error.message}`).join('\n'),
    );
  }
  const missing: string[] = [];
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || !isScalar(node) || typeof node.value !== 'string') return;
      node.value = node.value.replace(
        /\$?\$\{(\w+)(?::-([^}]*))?\}/g,
        (whole, name: string, preset?: string) => {
          if (whole.startsWith('$$')) return whole.slice(1);
          const value = environment[name] ?? preset;
          if (value === undefined)
            missing.push(
              `${at(node.range?.[0] ?? 0)}: \${${name}} is not set in the environment; for the text itself write $\${${name}}`,
            );
          return value ?? '';
        },
      );
    },
  });
  if (missing.length > 0) throw new UserError(missing.join('\n'));
  return checked(contentOf(document, file), { file, document, lines }, catalogue);
}

/** @throws UserError for aliases without an anchor, or so many of them that they would exhaust memory */
function contentOf(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new UserError(`${file}: not YAML: ${describeError(error)}`, { cause: error });
  }
}

function checked(value: unknown, written: Omit<Checked, 'schema'>, catalogue: Catalogue): Config {
  const parsed = configSchema(catalogue).safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data as unknown as Config;
  const schema = configJsonSchema(catalogue);
  throw new UserError(describeProblems(parsed.error.issues, { ...written, schema }).join('\n'));
}
