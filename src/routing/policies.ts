/** The policies by name, as a config may choose them. */
import type { Policy } from './policy.ts';

/** Expert Router's own rule (arXiv 2404.15153): the expert of the nearest cluster, whatever its load. */
export const nearest: Policy = (candidates) => candidates.toSorted((a, b) => b.affinity - a.affinity);

export const POLICIES: Readonly<Record<string, Policy>> = { nearest };
