/**
 * From what was seen to experts: one a model, whatever the number of addresses that serve it, and a line of explanation
 * for everything that was seen and not taken. Pure.
 */
import type { Cloud } from '../engines/engine.ts';
import { failureText } from '../engines/failure.ts';
import type { Api, EngineSighting } from '../engines/recognise.ts';
import { familyOf } from './families.ts';
import type { Finding } from './look.ts';

/** An expert as a config writes it. */
export interface Draft {
  readonly id: string;
  readonly kind: string;
  readonly url: string | readonly string[];
  readonly model: string;
  readonly api_key?: string;
  readonly description?: string;
  readonly samples?: readonly string[];
  readonly fallback?: true;
}

export interface Drafted {
  readonly experts: readonly Draft[];
  /** What was found and taken, one line an address. */
  readonly found: readonly string[];
  /** What was seen and left, and why. */
  readonly left: readonly string[];
}

/** A key whose use was asked for, with the model it is for. */
export interface ChosenKey {
  readonly variable: string;
  readonly model: string;
}

/** What a kind of expert needs to see; the first that is known here and fits is taken. */
const KINDS: readonly { readonly kind: string; readonly api: Api }[] = [
  { kind: 'openai', api: 'openai' },
  { kind: 'triton', api: 'kserve' },
];

/** Part of a model's name → the embedded expert whose description and samples say what such a model is for. */
const TRADES: readonly (readonly [RegExp, string])[] = [
  [/cod(e|er|ing)|coder|codestral|devstral|starcoder/i, 'code'],
  [/math/i, 'maths'],
  [/japan|swallow|elyza|(^|[-_.])(ja|jp)([-_.:]|$)/i, 'japanese'],
];

/** Models that make no text. */
const NO_TEXT = /embed|rerank|whisper|(^|[-_/])(bge|e5|minilm|gte)([-_.]|$)|all-minilm|stable-diffusion|tts/i;

export interface Surroundings {
  readonly findings: readonly Finding[];
  /** Clouds whose variable is set. */
  readonly clouds: readonly Cloud[];
  readonly keys: readonly ChosenKey[];
  /** The kinds of expert there are. */
  readonly kinds: readonly string[];
  /** Descriptions and samples by the embedded expert they belong to. */
  readonly trades: Readonly<
    Record<string, { readonly description: string; readonly samples: readonly string[] }>
  >;
}

/** What is made of one thing that was seen. */
interface Verdict {
  readonly served: readonly Omit<Served, 'urls'>[];
  readonly url: string;
  readonly found?: string;
  readonly left: readonly string[];
}

export function draft({ findings, clouds, keys, kinds, trades }: Surroundings): Drafted {
  const verdicts = [
    ...findings.flatMap((finding) => judge(finding, findings, kinds) ?? []),
    ...clouds.filter((cloud) => kinds.includes(cloud.kind)).map((cloud) => judgeCloud(cloud, keys)),
  ];
  const served = new Map<string, Served>();
  for (const { served: ones, url } of verdicts) {
    for (const one of ones) {
      const name = JSON.stringify(one);
      served.set(name, { ...one, urls: [...(served.get(name)?.urls ?? []), url] });
    }
  }
  return {
    experts: named([...served.values()], trades),
    found: verdicts.flatMap((verdict) => verdict.found ?? []),
    left: verdicts.flatMap((verdict) => verdict.left),
  };
}

function judge(
  { address: url, sighting }: Finding,
  findings: readonly Finding[],
  kinds: readonly string[],
): Verdict | null {
  if (sighting.kind === 'unreachable') return null;
  if (sighting.kind !== 'engine') return { served: [], url, left: [`${url}: ${failureText(sighting)}`] };
  const at = `${url}: ${nameOf(sighting)}`;
  const kind = kindOf(sighting, kinds);
  const why = refusal(sighting, kind);
  if (why !== null || kind === undefined) return { served: [], url, left: [`${at}; ${why}`] };
  if (kind === 'triton' && isTheOtherDoor(url, findings)) return null;
  const models = [...new Set(sighting.models)];
  const texts = models.filter((model) => !NO_TEXT.test(model));
  const mute = models.filter((model) => NO_TEXT.test(model));
  const left = mute.length > 0 ? [`${at}, ${mute.join(', ')}; such models make no text`] : [];
  const served = texts.map((model) => ({ kind, model, key: null }));
  return { served, url, left, ...(texts.length > 0 ? { found: `${at}, ${texts.join(', ')}` } : {}) };
}

function judgeCloud({ variable, kind, url }: Cloud, keys: readonly ChosenKey[]): Verdict {
  const models = keys.filter((key) => key.variable === variable).map((key) => key.model);
  if (models.length === 0) {
    const why = `using it costs money. To use it: --use-key ${variable}=MODEL`;
    return { served: [], url, left: [`${variable} is set and left alone: ${why}`] };
  }
  const served = models.map((model) => ({ kind, model, key: variable }));
  return { served, url, found: `${variable}: ${models.join(', ')} at ${url}`, left: [] };
}

function nameOf({ engine, version }: EngineSighting): string {
  return `${engine?.name ?? "a server with OpenAI's API"}${version ? ` ${version}` : ''}`;
}

function kindOf({ apis }: EngineSighting, kinds: readonly string[]): string | undefined {
  return KINDS.find(({ kind, api }) => kinds.includes(kind) && apis.includes(api))?.kind;
}

function refusal(sighting: EngineSighting, kind: string | undefined): string | null {
  if (sighting.engine?.noExpert !== undefined) return sighting.engine.noExpert;
  if (kind === undefined) return 'no kind of expert speaks to it';
  return sighting.models.length === 0 ? 'it names no model that makes text' : null;
}

/** Triton's HTTP beside its gRPC is the same server: gRPC, which cancels with certainty, is taken. */
function isTheOtherDoor(address: string, findings: readonly Finding[]): boolean {
  if (address.startsWith('grpc:')) return false;
  const { hostname } = new URL(address);
  return findings.some(
    (other) =>
      other.sighting.kind === 'engine' &&
      other.sighting.models.length > 0 &&
      other.address.startsWith('grpc:') &&
      new URL(other.address).hostname === hostname,
  );
}

type Served = {
  readonly kind: string;
  readonly model: string;
  readonly urls: readonly string[];
  readonly key: string | null;
};

/** Gives ids and trades; the first without a trade takes what nobody is for. */
function named(served: readonly Served[], trades: Surroundings['trades']): Draft[] {
  const ids = new Set<string>();
  const fallback =
    served.find(({ model }) => tradeOf(model) === null && familyOf(model) === null) ?? served[0];
  return served.map((one) => {
    const id = freeId(one.model, ids);
    ids.add(id);
    const trade = tradeOf(one.model);
    const about = trade === null ? undefined : trades[trade];
    return {
      id,
      kind: one.kind,
      url: one.urls.length === 1 ? one.urls[0]! : one.urls,
      model: one.model,
      ...(one.key === null ? {} : { api_key: `\${${one.key}}` }),
      ...(about ? { description: about.description, samples: about.samples } : familyText(one.model)),
      ...(one === fallback ? { fallback: true as const } : {}),
    };
  });
}

function familyText(model: string): Pick<Draft, 'description'> {
  const description = familyOf(model);
  return description === null ? {} : { description };
}

function tradeOf(model: string): string | null {
  return TRADES.find(([pattern]) => pattern.test(model))?.[1] ?? null;
}

/** `org/Model-7B:Q4` → `model-7b-q4`; a number behind one that is taken. */
function freeId(model: string, taken: ReadonlySet<string>): string {
  const last = model
    .split('/')
    .at(-1)!
    .replace(/\.gguf$/i, '');
  const plain = last
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+|(?<![^a-z0-9])[^a-z0-9]+$/g, '')
    .slice(0, 56);
  const base = plain === '' || plain === 'auto' ? `model${plain && `-${plain}`}` : plain;
  for (let number = 1; ; number++) {
    const id = number === 1 ? base : `${base}-${number}`;
    if (!taken.has(id)) return id;
  }
}
