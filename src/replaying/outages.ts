/** When experts took no requests, as the decisions themselves tell it. Pure. */
import type { DecisionLine } from '../serving/records/record.ts';

/**
 * An expert is out from the first prompt of its own that went elsewhere because it took none, until it is chosen again.
 * @param lines by time, ascending
 * @returns for each line the experts that were out when it was decided, by their place in `experts`
 */
export function outagesOf(
  lines: readonly DecisionLine[],
  experts: readonly string[],
): readonly (readonly number[])[] {
  let out: readonly number[] = [];
  return lines.map(({ chosen, home, spilled_for: why }) => {
    const back = experts.indexOf(chosen);
    if (out.includes(back)) out = out.filter((one) => one !== back);
    const gone = why === 'unavailable' && home !== undefined ? experts.indexOf(home) : -1;
    if (gone >= 0 && !out.includes(gone)) out = [...out, gone];
    return out;
  });
}
