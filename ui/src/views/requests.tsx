/** The latest requests with their timing, or the story of one of them. */
import { useState } from 'preact/hooks';
import { failureText } from '../../../src/serving/board/story.ts';
import type { Row } from '../../../src/serving/board/wire.ts';
import * as api from '../api.ts';
import { clock, count, DASH, duration } from '../format.ts';
import { live } from '../live.ts';
import { Empty, Expert, Problem, Table, useAsked } from '../parts/bits.tsx';
import { Result, type ResultKind, resultOf } from '../parts/result.tsx';
import { phasesOf, Timing, TimingLegend } from '../parts/timing.tsx';
import { words } from '../words/index.ts';
import { Trace } from './trace.tsx';

const EVERY_MS = 2_000;
const SHOWN = 100;
/** Of those that still run, beside the ended; the filter shows all. */
const RUNNING_SHOWN = 8;
const WHOLE = /^[0-9a-f]{32}$/i;
const KINDS: readonly ResultKind[] = ['ok', 'running', 'failed', 'left', 'moved'];

export function Requests({ rest }: { rest: string }) {
  return rest === '' ? <All /> : <Trace id={rest} />;
}

function All() {
  const text = words().requests;
  const [paused, setPaused] = useState(false);
  const [expert, setExpert] = useState('');
  const [kind, setKind] = useState('');
  const [find, setFind] = useState('');
  const { value, error } = useAsked(api.requests, paused ? 0 : EVERY_MS);
  const wanted = (value ?? []).filter(
    (row) =>
      (expert === '' || (row.expert ?? row.choice?.expert) === expert) &&
      (kind === '' || resultOf(row) === kind) &&
      row.trace.startsWith(find.trim().toLowerCase()),
  );
  const rows = kind === 'running' ? wanted.slice(0, SHOWN) : fewRunning(wanted).slice(0, SHOWN);
  const most = Math.max(1, ...rows.map(widthOf));
  return (
    <>
      <p class="lead">{text.lead}</p>
      <form class="row filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          {text.expert}
          <select value={expert} onChange={({ currentTarget }) => setExpert(currentTarget.value)}>
            <option value="">{text.all}</option>
            {live.layout?.experts.map(({ id }) => (
              <option key={id}>{id}</option>
            ))}
          </select>
        </label>
        <label>
          {text.result}
          <select value={kind} onChange={({ currentTarget }) => setKind(currentTarget.value)}>
            <option value="">{text.all}</option>
            {KINDS.map((one) => (
              <option key={one} value={one}>
                {text.results[one]}
              </option>
            ))}
          </select>
        </label>
        <label>
          {text.find}
          <input
            type="search"
            value={find}
            size={14}
            spellcheck={false}
            onInput={({ currentTarget }) => setFind(currentTarget.value)}
          />
        </label>
        <button type="button" class="quiet" onClick={() => setPaused(!paused)}>
          {paused ? text.resume : text.pause}
        </button>
        <TimingLegend />
      </form>
      <Problem why={error} />
      {value === null ? null : rows.length === 0 ? (
        <Empty>
          {value.length === 0 ? text.empty : text.noMatch}{' '}
          {WHOLE.test(find.trim()) ? (
            <a href={`#/requests/${find.trim().toLowerCase()}`}>{text.lookUp}</a>
          ) : null}
        </Empty>
      ) : (
        <div class="card">
          <List rows={rows} most={most} />
        </div>
      )}
    </>
  );
}

/** The newest of those that run, so that the ended are seen below them. */
function fewRunning(rows: readonly Row[]): readonly Row[] {
  let left = RUNNING_SHOWN;
  return rows.filter(({ running }) => !running || left-- > 0);
}

function List({ rows, most }: { rows: readonly Row[]; most: number }) {
  const { columns } = words().requests;
  return (
    <Table
      label={words().nav.requests}
      head={[
        { text: columns.time, left: true },
        { text: columns.expert, left: true },
        { text: columns.result, left: true },
        { text: columns.topic, left: true },
        { text: columns.timing, left: true },
        columns.total,
        columns.tokens,
      ]}
    >
      {rows.map((row) => (
        <tr key={`${row.trace} ${row.at}`}>
          <td class="left">
            <a href={`#/requests/${row.trace}`}>{clock(row.at)}</a>
          </td>
          <td class="left">
            {row.expert === null && row.choice === null ? (
              DASH
            ) : (
              <Expert id={row.expert ?? row.choice!.expert} />
            )}
          </td>
          <td class="left why">
            <Result row={row} />
            <Why row={row} />
          </td>
          <td class="left topic">{row.choice?.clusterName ?? DASH}</td>
          <td class="left wide-cell">
            <Timing row={row} most={most} />
          </td>
          <td>{duration(row.totalMs)}</td>
          <td>{row.output === null ? DASH : count(row.output)}</td>
        </tr>
      ))}
    </Table>
  );
}

/** Why it failed, whose prompt it was, or that one try was not enough. */
function Why({ row }: { row: Row }) {
  const kind = resultOf(row);
  const { insteadOf, tries } = words().requests;
  const why =
    kind === 'failed'
      ? failureText(row, words())
      : kind === 'moved'
        ? insteadOf(row.choice!.home)
        : row.tries > 1
          ? tries(row.tries)
          : null;
  return why === null ? null : <small>{why}</small>;
}

function widthOf(row: Row): number {
  return Object.values(phasesOf(row)).reduce((sum, ms) => sum + ms, 0);
}
