/** One request by its trace id, told in plain words; also while it still runs. */

import { storyOf } from '../../../src/serving/board/story.ts';
import type { Row } from '../../../src/serving/board/wire.ts';
import * as api from '../api.ts';
import { colourOf } from '../colours.ts';
import * as numbers from '../format.ts';
import { count, decimal, percent } from '../format.ts';
import { live } from '../live.ts';
import { Bar, Card, Empty, Expert, Problem, Table, useAsked } from '../parts/bits.tsx';
import { Result } from '../parts/result.tsx';
import { phasesOf, Timing, TimingLegend } from '../parts/timing.tsx';
import { words } from '../words/index.ts';

const EVERY_MS = 1_000;

export function Trace({ id }: { id: string }) {
  const text = words().trace;
  const { value, error, code } = useAsked(() => api.trace(id), EVERY_MS, id);
  return (
    <>
      <p>
        <a href="#/requests">← {text.back}</a>
      </p>
      {value === null && code === 'not_found' ? <Empty>{text.missing}</Empty> : <Problem why={error} />}
      {value?.map((row) => (
        <One key={row.at} row={row} />
      ))}
    </>
  );
}

function One({ row }: { row: Row }) {
  const text = words().trace;
  const { choice } = row;
  const whole = Object.values(phasesOf(row)).reduce((sum, ms) => sum + ms, 0);
  const facts: readonly (readonly [string, string | number | null | undefined])[] = [
    [text.fields.trace, row.trace],
    [text.fields.status, row.status],
    [text.fields.reason, choice?.reason],
    [text.fields.home, choice?.home],
    [text.fields.replica, row.replica],
    [text.fields.tries, row.tries || null],
    [text.fields.conversation, choice?.conversation],
  ];
  return (
    <div class="grid">
      <Card wide>
        <p class="row">
          <Result row={row} />
          {choice ? <Expert id={row.expert ?? choice.expert} /> : null}
        </p>
        <ol class="story">
          {storyOf(row, {
            words: { ...words(), sentences: text, reasons: words().decide.reasons },
            numbers,
          }).map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ol>
      </Card>
      <Card title={text.timeline} wide>
        <Timing row={row} most={Math.max(1, whole)} />
        <TimingLegend />
      </Card>
      {choice ? (
        <Card title={text.ranking}>
          <Table
            label={text.ranking}
            head={[
              { text: words().now.columns.expert, left: true },
              { text: words().decide.fit, left: true },
            ]}
          >
            {choice.ranking.map(([expert, affinity]) => (
              <tr key={expert}>
                <td class="left">
                  <Expert id={expert} />
                </td>
                <td class="left load">
                  <Bar share={affinity} colour={colourOf(expert)} />
                  <span>{percent(affinity)}</span>
                </td>
              </tr>
            ))}
          </Table>
        </Card>
      ) : null}
      <div class="stack">
        {choice ? (
          <Card title={text.near}>
            <Table
              label={text.near}
              head={[{ text: words().topics.columns.topic, left: true }, words().decide.distance]}
            >
              {choice.near.map(([cluster, distance]) => (
                <tr key={cluster}>
                  <td class="left wrap">{live.layout?.clusters[cluster]?.name ?? count(cluster)}</td>
                  <td>{decimal(distance)}</td>
                </tr>
              ))}
            </Table>
          </Card>
        ) : null}
        <Card title={text.details}>
          <dl class="facts">
            {facts.map(([name, value]) =>
              value === null || value === undefined ? null : (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>{value}</dd>
                </div>
              ),
            )}
          </dl>
        </Card>
      </div>
    </div>
  );
}
