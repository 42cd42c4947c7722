/** From this machine and the environment to a config: looks, drafts and writes it out. */
import { stringify } from 'yaml';
import { UserError } from '../../core/errors.ts';
import { nearestName } from '../../core/suggest.ts';
import { DEFAULT_CONFIG } from '../app/compose.ts';
import { loadConfig } from '../config/load.ts';
import { EXPERT_KINDS } from '../experts/index.ts';
import { type ChosenKey, type Drafted, draft } from './drafts.ts';
import { CLOUDS, type Finding, LOCAL_ADDRESSES, lookAround } from './look.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** `none`, or the addresses to look at instead of the usual ones, with commas between them. */
const WHERE = 'EXPERT_ROUTER_DISCOVER';
/** Ours by default; where somebody else has it, a drafted config takes the next. */
const OWN_PORT = '8080';

export interface Discovered extends Drafted {
  /** The config as YAML; null where there is no expert for it. */
  readonly yaml: string | null;
}

/** @throws UserError for an address that is none, and for a key that is not set */
export async function discover(environment: Environment, keys: readonly ChosenKey[]): Promise<Discovered> {
  const addresses = addressesOf(environment[WHERE]);
  if (addresses === null) return { experts: [], found: [], left: [], yaml: null };
  refuseUnset(keys, environment);
  const findings = await lookAround(addresses);
  const drafted = draft({
    findings,
    clouds: CLOUDS.filter(({ variable }) => environment[variable]),
    keys,
    kinds: EXPERT_KINDS.map(({ kind }) => kind),
    trades: await embeddedTrades(),
  });
  return { ...drafted, yaml: drafted.experts.length > 0 ? configText(drafted, findings) : null };
}

/** `OPENAI_API_KEY=gpt-5-mini`, as `--use-key` takes it. @throws UserError for anything else */
export function chosenKey(text: string): ChosenKey {
  const at = text.indexOf('=');
  const variable = text.slice(0, at);
  const model = text.slice(at + 1);
  const known = CLOUDS.map((cloud) => cloud.variable);
  if (at < 1 || model === '')
    throw new UserError(
      `--use-key ${text}: a variable and a model are needed, as in OPENAI_API_KEY=gpt-5-mini.`,
    );
  if (known.includes(variable)) return { variable, model };
  const near = nearestName(variable, known);
  throw new UserError(
    `--use-key ${variable}: not a variable that is known here.${near ? ` Did you mean ${near}?` : ''} Known: ${known.join(', ')}.`,
  );
}

function addressesOf(where: string | undefined): readonly string[] | null {
  if (where === undefined || where === '') return [...LOCAL_ADDRESSES.keys()];
  if (where === 'none') return null;
  return where.split(',').map((text) => {
    const address = text.trim().replace(/\/+$/, '');
    if (!/^(http|grpc):\/\/[^/]+/.test(address) || !URL.canParse(address))
      throw new UserError(
        `${WHERE}: '${address}' is no address such as http://127.0.0.1:8000 or grpc://127.0.0.1:8001.`,
      );
    return address;
  });
}

function refuseUnset(keys: readonly ChosenKey[], environment: Environment): void {
  const unset = keys.find(({ variable }) => !environment[variable]);
  if (unset) throw new UserError(`--use-key ${unset.variable}: the variable is not set in the environment.`);
}

/** What the embedded experts are for serves as description of models that are for the same. */
async function embeddedTrades(): Promise<
  Record<string, { description: string; samples: readonly string[] }>
> {
  const { experts } = await loadConfig(DEFAULT_CONFIG, {});
  return Object.fromEntries(
    experts.map(({ id, description = '', samples = [] }) => [id, { description, samples }]),
  );
}

function configText({ experts, found, left }: Drafted, findings: readonly Finding[]): string {
  const taken = findings.some(
    ({ address, sighting }) => sighting.kind !== 'unreachable' && new URL(address).port === OWN_PORT,
  );
  const comments = [
    'Found by `expert-router discover`:',
    ...found.map((line) => `  ${line}`),
    ...(left.length > 0 ? ['Left:', ...left.map((line) => `  ${line}`)] : []),
    'Descriptions and samples decide which prompts an expert gets; `expert-router assign` shows it.',
  ];
  const config = { ...(taken ? { listen: `127.0.0.1:${Number(OWN_PORT) + 1}` } : {}), experts };
  return `${comments.map((line) => `# ${line}`).join('\n')}\n${stringify(config, { lineWidth: 110 })}`;
}
