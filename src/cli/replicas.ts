/** Servers that a config names for an expert; null where they are found while it serves. */
export function replicasOf(url: unknown, discover: unknown): number | null {
  if (discover !== undefined) return null;
  return Array.isArray(url) ? url.length : 1;
}
