/** From an InferencePool and its pods to the addresses that may be asked. Pure. */
import { z } from 'zod';
import type { Found } from '../fleet/membership.ts';
import { hostIn } from './dns.ts';

/** https://gateway-api-inference-extension.sigs.k8s.io/reference/spec/ (v1), as far as it is read here. */
export const poolSchema = z.object({
  metadata: z.object({ name: z.string(), deletionTimestamp: z.string().nullish() }),
  spec: z.object({
    selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    targetPorts: z.array(z.object({ number: z.int() })).min(1),
  }),
});

export type Pool = z.infer<typeof poolSchema>;

export const podSchema = z.object({
  metadata: z.object({ name: z.string(), deletionTimestamp: z.string().nullish() }),
  status: z
    .object({
      podIP: z.string().nullish(),
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).nullish(),
    })
    .nullish(),
});

export type Pod = z.infer<typeof podSchema>;

/** As the API server wants it; the same for equal selectors. */
export function selectorOf({ spec }: Pool): string {
  return Object.entries(spec.selector.matchLabels)
    .map(([label, value]) => `${label}=${value}`)
    .sort()
    .join(',');
}

/** Of the pods that are ready and not on their way out, every port of the pool: each is a server of its own. */
export function poolAddresses(pods: readonly Pod[], ports: readonly number[]): readonly Found[] {
  return pods.filter(isReady).flatMap(({ status }) => {
    const host = hostIn(status!.podIP!);
    return ports.map((port) => ({ url: `http://${host}:${port}`, weight: 1 }));
  });
}

function isReady({ metadata, status }: Pod): boolean {
  if (metadata.deletionTimestamp || !status?.podIP) return false;
  return (status.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True');
}
