/** From EndpointSlices (discovery.k8s.io/v1) to the addresses that may be asked. Pure. */
import { z } from 'zod';
import type { Found } from '../fleet/membership.ts';
import { hostIn } from './dns.ts';

const flag = z.boolean().nullish();

/** As far as it is read here; whatever else it has is left alone. */
export const sliceSchema = z.object({
  metadata: z.object({ name: z.string(), resourceVersion: z.string().optional() }),
  addressType: z.enum(['IPv4', 'IPv6', 'FQDN']),
  endpoints: z
    .array(
      z.object({
        addresses: z.array(z.string()).min(1),
        conditions: z.object({ ready: flag, terminating: flag }).nullish(),
        targetRef: z.object({ uid: z.string().nullish() }).nullish(),
      }),
    )
    .nullish(),
  ports: z.array(z.object({ name: z.string().nullish(), port: z.number().nullish() })).nullish(),
});

export type Slice = z.infer<typeof sliceSchema>;

/** In which a pod with several addresses is asked. */
const FAMILIES: readonly Slice['addressType'][] = ['IPv4', 'IPv6', 'FQDN'];

/**
 * Endpoints that are ready and not terminating, each once, however many slices name it.
 * @param port number or name of the pods' port; undefined for the only one
 */
export function readyAddresses(slices: Iterable<Slice>, port: number | string | undefined): readonly Found[] {
  const found = new Map<string, Found>();
  const inOrder = [...slices].sort(
    (a, b) => FAMILIES.indexOf(a.addressType) - FAMILIES.indexOf(b.addressType),
  );
  for (const slice of inOrder) {
    const number = portIn(slice, port);
    if (number === null) continue;
    for (const { addresses, conditions, targetRef } of slice.endpoints ?? []) {
      // No word on readiness means ready, as the API has it.
      if (conditions?.ready === false || conditions?.terminating === true) continue;
      const host = hostIn(addresses[0]!);
      const pod = targetRef?.uid ?? host;
      if (!found.has(pod)) found.set(pod, { url: `http://${host}:${number}`, weight: 1 });
    }
  }
  return [...found.values()];
}

function portIn({ ports }: Slice, wanted: number | string | undefined): number | null {
  if (typeof wanted === 'number') return wanted;
  const all = ports ?? [];
  const matching = wanted === undefined ? all : all.filter(({ name }) => name === wanted);
  return matching.length === 1 ? (matching[0]!.port ?? null) : null;
}

/** Why no slice has the port; null where one has it, or there is none yet. */
export function portProblem(slices: Iterable<Slice>, wanted: number | string | undefined): string | null {
  const all = [...slices];
  if (all.length === 0 || all.some((slice) => portIn(slice, wanted) !== null)) return null;
  const names = [...new Set(all.flatMap(({ ports }) => ports?.map(({ name, port }) => name || port) ?? []))];
  const has = names.join(', ') || 'none';
  return wanted === undefined
    ? `its pods have several ports or none (${has}); say which in \`port\``
    : `its pods have no port '${wanted}', but: ${has}`;
}
