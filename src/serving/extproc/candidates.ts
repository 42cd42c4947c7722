/** Who may take a request that Envoy carries: experts, and the addresses of their replicas in order of preference. */
import { RouterError } from '../../core/errors.ts';
import type { Ask } from '../dialects/ask.ts';
import type { ExpertGroup } from '../fleet/group.ts';
import type { Replica } from '../fleet/replica.ts';
import type { Addresses } from './addresses.ts';
import type { ProcessingRequest } from './protocol.ts';

const HINT_NAMESPACE = 'envoy.lb.subset_hint';
const HINT_KEY = 'x-gateway-destination-endpoint-subset';
/** Addresses in one header: retries go no further. */
const MOST_ENDPOINTS = 4;

/** Those that Envoy can ask in our place. @throws RouterError where there are none */
export function relayable(groups: readonly ExpertGroup[], ask: Ask): readonly ExpertGroup[] {
  const { id } = ask.dialect;
  const able = groups.filter(({ replicas }) => replicas.every(({ expert }) => isRelayed(expert, id)));
  if (able.length > 0) return able;
  const names = groups.map((group) => `'${group.id}'`).join(', ');
  throw new RouterError(
    'invalid_request',
    `Of the experts that may answer this (${names}), none takes requests of the dialect ${id} as they are, and nothing is translated here. Ask the gateway itself.`,
  );
}

/** `ip:port` of each endpoint that the gateway leaves to choose from; null where it leaves all. */
export function subsetHint({ metadata_context: context }: ProcessingRequest): ReadonlySet<string> | null {
  const value = context?.filter_metadata?.[HINT_NAMESPACE]?.fields?.[HINT_KEY];
  if (value === undefined) return null;
  const listed = value.listValue?.values?.flatMap(({ stringValue }) => stringValue ?? []) ?? [];
  const texts = value.stringValue === undefined ? listed : value.stringValue.split(',');
  return new Set(texts.map((text) => text.trim()).filter((text) => text !== ''));
}

/** Replicas outside of a hint. */
export function outside(
  groups: readonly ExpertGroup[],
  hint: ReadonlySet<string> | null,
  addresses: Addresses,
): ReadonlySet<Replica> {
  if (hint === null) return new Set();
  const all = groups.flatMap(({ replicas }) => replicas);
  return new Set(all.filter((replica) => !known(replica, addresses).some((address) => hint.has(address))));
}

/** In order of preference; null where the first is not known, since the others are only to stand in for it. */
export function endpointsOf(
  group: ExpertGroup,
  first: Replica,
  excluded: ReadonlySet<Replica>,
  addresses: Addresses,
): string | null {
  const own = known(first, addresses);
  if (own.length === 0) return null;
  const others = group.replicas
    .filter((replica) => replica !== first && replica.available && !excluded.has(replica))
    .sort((a, b) => a.outstandingTokens / a.weight - b.outstandingTokens / b.weight);
  return [...own, ...others.flatMap((replica) => known(replica, addresses))]
    .slice(0, MOST_ENDPOINTS)
    .join(',');
}

function isRelayed({ asSent, address, speaks }: Replica['expert'], dialect: string): boolean {
  return asSent !== undefined && address !== undefined && (speaks as readonly string[]).includes(dialect);
}

function known({ expert }: Replica, addresses: Addresses): readonly string[] {
  return expert.address === undefined ? [] : addresses.of(expert.address);
}
