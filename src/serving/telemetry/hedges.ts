/** Which of a request's tries were hedges. */

/** Whether an earlier try was still waited for when this one began. */
export function isHedge(
  asked: readonly { readonly fromMs: number; readonly failedMs: number | null }[],
  place: number,
): boolean {
  const { fromMs } = asked[place]!;
  return asked.slice(0, place).some(({ failedMs }) => failedMs === null || failedMs > fromMs);
}
