/** OpenTelemetry's standard environment variables, as far as they concern spans sent by OTLP. */
import { UserError } from '../../core/errors.ts';
import { excerpt } from '../../core/excerpt.ts';
import { version } from '../../core/shipped.ts';
import { type Sampler, samplerNamed } from './trace-context.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface OtelSettings {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: Readonly<Record<string, string>>;
  readonly sampler: Sampler;
  readonly timeoutMs: number;
  readonly everyMs: number;
  readonly mostQueued: number;
  readonly mostInBatch: number;
}

const DEFAULT_ENDPOINT = 'http://localhost:4318';
const DEFAULT_SAMPLER = 'parentbased_always_on';

/**
 * Null unless an endpoint is named or `OTEL_TRACES_EXPORTER=otlp` asks for the default one.
 * @throws UserError for values that mean nothing, or a protocol that is not spoken
 */
export function otelSettings(environment: Environment): OtelSettings | null {
  const of = (name: string): string | undefined => environment[name]?.trim() || undefined;
  if (of('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return null;
  const exporter = of('OTEL_TRACES_EXPORTER');
  if (exporter === 'none') return null;
  if (exporter !== undefined && exporter !== 'otlp')
    throw new UserError(`OTEL_TRACES_EXPORTER=${exporter}: only 'otlp' and 'none' are known here.`);
  const endpoint = endpointOf(of);
  if (endpoint === null && exporter === undefined) return null;
  const protocol = of('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? of('OTEL_EXPORTER_OTLP_PROTOCOL');
  if (protocol !== undefined && protocol !== 'http/json')
    throw new UserError(
      `The protocol ${protocol} of OpenTelemetry is not spoken here; set OTEL_EXPORTER_OTLP_PROTOCOL=http/json (port 4318 of a collector).`,
    );
  return {
    url: endpoint ?? `${DEFAULT_ENDPOINT}/v1/traces`,
    headers: headersOf(of('OTEL_EXPORTER_OTLP_TRACES_HEADERS') ?? of('OTEL_EXPORTER_OTLP_HEADERS')),
    resource: {
      'service.version': version(),
      ...pairs(of('OTEL_RESOURCE_ATTRIBUTES')),
      'service.name':
        of('OTEL_SERVICE_NAME') ?? pairs(of('OTEL_RESOURCE_ATTRIBUTES'))['service.name'] ?? 'expert-router',
    },
    sampler: samplerOf(of),
    timeoutMs: number(of, ['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', 'OTEL_EXPORTER_OTLP_TIMEOUT'], 10_000),
    everyMs: number(of, ['OTEL_BSP_SCHEDULE_DELAY'], 5_000),
    mostQueued: number(of, ['OTEL_BSP_MAX_QUEUE_SIZE'], 2_048),
    mostInBatch: number(of, ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'], 512),
  };
}

type Read = (name: string) => string | undefined;

/** The endpoint for traces is taken as it is; the one for all signals is a base. */
function endpointOf(of: Read): string | null {
  const [own, base] = [of('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'), of('OTEL_EXPORTER_OTLP_ENDPOINT')];
  const url = own ?? (base === undefined ? null : `${base.replace(/\/$/, '')}/v1/traces`);
  if (url !== null && !/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : ''))
    throw new UserError(
      `The endpoint of OpenTelemetry is no address: ${url}. It looks like ${DEFAULT_ENDPOINT}.`,
    );
  return url;
}

function samplerOf(of: Read): Sampler {
  const [name, argument] = [of('OTEL_TRACES_SAMPLER') ?? DEFAULT_SAMPLER, of('OTEL_TRACES_SAMPLER_ARG')];
  const sampler = samplerNamed(name, argument);
  if (sampler) return sampler;
  throw new UserError(
    `OTEL_TRACES_SAMPLER=${name} with OTEL_TRACES_SAMPLER_ARG=${argument ?? ''} is not known; try parentbased_traceidratio with 0.1.`,
  );
}

/** With lower-case names. @throws UserError for what no header can hold */
function headersOf(text: string | undefined): Record<string, string> {
  const headers = Object.entries(pairs(text)).map(([name, value]) => [name.toLowerCase(), value] as const);
  for (const [name, value] of headers) {
    if (/^[!#$%&'*+.^_`|~\w-]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value)) continue;
    throw new UserError(
      `OTEL_EXPORTER_OTLP_HEADERS: '${excerpt(name)}' has a name or a value that no HTTP header can have.`,
    );
  }
  return Object.fromEntries(headers);
}

/** `a=b,c=d`, values percent-encoded. */
function pairs(text = ''): Record<string, string> {
  const all = text.split(',').flatMap((pair): [string, string][] => {
    const at = pair.indexOf('=');
    return at < 1 ? [] : [[pair.slice(0, at).trim(), decoded(pair.slice(at + 1).trim())]];
  });
  return Object.fromEntries(all);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function number(of: Read, names: readonly string[], preset: number): number {
  const name = names.find((one) => of(one) !== undefined);
  if (name === undefined) return preset;
  const value = Number(of(name));
  if (Number.isInteger(value) && value > 0) return value;
  throw new UserError(`${name}=${of(name)}: a whole number above 0 is expected.`);
}
