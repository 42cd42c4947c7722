/** What a replay found: recorded, simulated as it was with its error, simulated with the change. */
import { noticeText } from '../../../src/replaying/notices.ts';
import type { Outcome, SimulatedOutcome, Times, WhatIfAnswer } from '../../../src/replaying/what-if.ts';
import { colourOf } from '../colours.ts';
import { count, DASH, decimal, duration, percent } from '../format.ts';
import { Bar, Card, Expert, Table } from '../parts/bits.tsx';
import { words } from '../words/index.ts';

interface Figure {
  readonly name: string;
  /** Null where it is not known, or has no meaning there. */
  of(outcome: Outcome): number | null;
  show(value: number | null): string;
  /** Whether it is only a lower bound; never when absent. */
  atLeast?(outcome: Outcome): boolean;
}

const maybe =
  (format: (value: number) => string) =>
  (value: number | null): string =>
    value === null ? DASH : format(value);

function simulated(outcome: Outcome): SimulatedOutcome | null {
  return 'gpus' in outcome ? (outcome as SimulatedOutcome) : null;
}

function figures({ as_was: asWas, changed }: WhatIfAnswer): readonly Figure[] {
  const { rows } = words().whatIf;
  const anyTooLong = asWas.errors + changed.errors > 0;
  return [
    ...times(rows.ttft, ({ ttft_ms }) => ttft_ms, ['p50', 'p95', 'p99']),
    ...times(rows.tpot, ({ tpot_ms }) => tpot_ms, ['p50', 'p95']),
    ...times(rows.e2e, ({ e2e_ms }) => e2e_ms, ['p50', 'p95']),
    { name: rows.output, of: (one) => one.tokens_per_second, show: maybe(count) },
    { name: rows.home, of: (one) => one.at_home, show: percent },
    ...(anyTooLong
      ? [{ name: rows.tooLong, of: (one: Outcome) => simulated(one)?.errors ?? null, show: maybe(count) }]
      : []),
    { name: rows.unfinished, of: (one) => simulated(one)?.unfinished ?? null, show: percent },
    { name: rows.gpus, of: (one) => simulated(one)?.gpus ?? null, show: maybe(count) },
    {
      name: rows.cost,
      of: (one) => simulated(one)?.usd_per_hour ?? null,
      show: maybe((usd) => decimal(usd)),
    },
  ];
}

function times(
  name: string,
  of: (outcome: Outcome) => Times,
  which: readonly ('p50' | 'p95' | 'p99')[],
): readonly Figure[] {
  return which.map((one) => ({
    name: `${name} · ${words().now.charts[one]}`,
    of: (outcome) => of(outcome)[one],
    show: duration,
    atLeast: (outcome) => of(outcome).at_least.includes(one),
  }));
}

const AT_LEAST = '≥ ';

export function Outcomes({ answer }: { answer: WhatIfAnswer }) {
  const text = words().whatIf;
  const { recorded, as_was: asWas, changed, notices } = answer;
  return (
    <>
      <Card title={text.result} wide>
        <p class="hint" role="status">
          {text.requests(count(recorded.requests), duration(recorded.seconds * 1000))} {text.resultHint}
        </p>
        <Table
          label={text.result}
          head={[
            { text: '', left: true },
            text.recorded,
            text.asWas,
            text.error,
            text.changed,
            text.difference,
          ]}
        >
          {figures(answer).map(({ name, of, show, atLeast = () => false }) => {
            const [was, again, would] = [of(recorded), of(asWas), of(changed)];
            const bound = (outcome: Outcome): string => (atLeast(outcome) ? AT_LEAST : '');
            return (
              <tr key={name}>
                <th scope="row" class="left">
                  {name}
                </th>
                <td>{show(was)}</td>
                <td>
                  {bound(asWas)}
                  {show(again)}
                </td>
                <td>
                  {bound(asWas)}
                  {change(was, again)}
                </td>
                <td>
                  <strong>
                    {bound(changed)}
                    {show(would)}
                  </strong>
                </td>
                {/* From a bound nothing is known of the difference. */}
                <td>{atLeast(asWas) ? DASH : bound(changed) + change(again, would)}</td>
              </tr>
            );
          })}
        </Table>
        {notices.map((notice) => (
          <p class="hint" key={notice.kind}>
            {text.notice(noticeText(notice, text.notices))}
          </p>
        ))}
      </Card>
      <Homes answer={answer} />
    </>
  );
}

function Homes({ answer: { recorded, as_was: asWas, changed } }: { answer: WhatIfAnswer }) {
  const text = words().whatIf;
  return (
    <Card title={text.homes} wide>
      <Table
        label={text.homes}
        head={[words().now.columns.expert, text.recorded, text.asWas, text.changed].map((name) => ({
          text: name,
          left: true,
        }))}
      >
        {Object.keys(asWas.experts).map((id) => (
          <tr key={id}>
            <td class="left">
              <Expert id={id} />
            </td>
            {[recorded, asWas, changed].map((outcome, place) => (
              <td class="left load" key={[text.recorded, text.asWas, text.changed][place]}>
                <Bar share={shareOf(outcome, id)} colour={colourOf(id)} />
                <span>{percent(shareOf(outcome, id))}</span>
              </td>
            ))}
          </tr>
        ))}
      </Table>
    </Card>
  );
}

function shareOf({ experts }: Outcome, id: string): number {
  const all = Object.values(experts).reduce((sum, n) => sum + n, 0);
  return all === 0 ? 0 : (experts[id] ?? 0) / all;
}

/** From one to another, as a share of the first. */
function change(from: number | null, to: number | null): string {
  if (from === null || to === null || from === 0) return DASH;
  const share = to / from - 1;
  if (Math.abs(share) < 0.005) return '± 0 %';
  return `${share > 0 ? '+' : '−'}${percent(Math.abs(share))}`;
}
