/** Conversations among the latest requests: where each lives, and what its moves cost. */
import { useState } from 'preact/hooks';
import type { Row } from '../../../src/serving/board/wire.ts';
import * as api from '../api.ts';
import { clock, count, DASH, percent } from '../format.ts';
import { Empty, Expert, Table, useAsked } from '../parts/bits.tsx';
import { words } from '../words/index.ts';

const EVERY_MS = 3_000;
const STAYS_SHOWN = 6;

export interface Conversation {
  readonly id: string;
  /** Oldest first. */
  readonly turns: readonly Row[];
  /** Where it was in turn; the first is no move. */
  readonly path: readonly Stay[];
  readonly moves: number;
  readonly input: number;
  /** Null where no engine told it. */
  readonly cached: number | null;
  /** Input tokens outside the cache on turns that moved; null where no engine told it. */
  readonly lost: number | null;
}

interface Stay {
  readonly expert: string;
  /** Input tokens outside the cache when it came here; null where no engine told it, and for the first. */
  readonly lost: number | null;
}

export function Conversations() {
  const text = words().conversations;
  const { value } = useAsked(api.requests, EVERY_MS);
  const [movedOnly, setMovedOnly] = useState(false);
  const all = conversationsOf(value ?? []);
  const shown = all.filter(({ moves }) => !movedOnly || moves > 0);
  return (
    <>
      <p class="lead">{text.lead}</p>
      {value === null ? null : all.length === 0 ? (
        <Empty>{text.empty}</Empty>
      ) : (
        <div class="card">
          <p class="hint">{text.about}</p>
          <label class="pick">
            <input
              type="checkbox"
              checked={movedOnly}
              onChange={({ currentTarget }) => setMovedOnly(currentTarget.checked)}
            />
            {text.movedOnly}
          </label>
          {shown.length === 0 ? <p class="hint">{text.noneMoved}</p> : null}
          <Table
            label={words().nav.conversations}
            head={[
              { text: text.columns.last, left: true },
              { text: text.columns.expert, left: true },
              text.columns.turns,
              text.columns.moves,
              { text: text.columns.path, left: true },
              text.columns.cached,
              text.columns.lost,
            ]}
          >
            {shown.map((one) => (
              <tr key={one.id}>
                <td class="left">
                  <a href={`#/requests/${one.turns.at(-1)!.trace}`}>{clock(one.turns.at(-1)!.at)}</a>
                </td>
                <td class="left">
                  <Expert id={one.path.at(-1)!.expert} />
                </td>
                <td>{count(one.turns.length)}</td>
                <td>{count(one.moves)}</td>
                <td class="left path">
                  {one.path.length > STAYS_SHOWN ? '… ' : null}
                  {(one.moves > 0 ? one.path.slice(-STAYS_SHOWN) : []).map(({ expert, lost }, place) => (
                    <span key={place} class="stay">
                      <Expert id={expert} />
                      {lost === null ? null : <span class="hint"> {text.reread(count(lost))}</span>}
                    </span>
                  ))}
                </td>
                <td>{one.cached === null || one.input === 0 ? DASH : percent(one.cached / one.input)}</td>
                <td>{one.lost === null ? DASH : count(one.lost)}</td>
              </tr>
            ))}
          </Table>
        </div>
      )}
    </>
  );
}

/** The latest first; those with a single turn that has moved nowhere are left out. */
export function conversationsOf(rows: readonly Row[]): readonly Conversation[] {
  const groups = new Map<string, Row[]>();
  for (const row of [...rows].sort((a, b) => a.at - b.at)) {
    const id = row.choice?.conversation;
    if (id === null || id === undefined || row.expert === null) continue;
    groups.set(id, [...(groups.get(id) ?? []), row]);
  }
  return [...groups]
    .map(([id, turns]) => told(id, turns))
    .filter(({ turns, moves }) => turns.length > 1 || moves > 0)
    .sort((a, b) => b.turns.at(-1)!.at - a.turns.at(-1)!.at);
}

function told(id: string, turns: readonly Row[]): Conversation {
  // Its earlier turns may be known no more; where it lived before the first of these is.
  const { livedAt } = turns[0]!;
  const path: Stay[] = livedAt === null ? [] : [{ expert: livedAt, lost: null }];
  let [input, cached, lost] = [0, null as number | null, null as number | null];
  for (const turn of turns) {
    const reread = turn.input === null || turn.cached === null ? null : turn.input - turn.cached;
    const moved = path.length > 0 && path.at(-1)!.expert !== turn.expert;
    if (moved || path.length === 0) path.push({ expert: turn.expert!, lost: moved ? reread : null });
    if (turn.input === null) continue;
    input += turn.input;
    if (turn.cached === null) continue;
    cached = (cached ?? 0) + turn.cached;
    lost = (lost ?? 0) + (moved ? turn.input - turn.cached : 0);
  }
  return { id, turns, path, moves: path.length - 1, input, cached, lost };
}
