/** How a request ended, in a word. */
import type { Row } from '../../../src/serving/board/wire.ts';
import { words } from '../words/index.ts';

export type ResultKind = 'ok' | 'running' | 'failed' | 'left' | 'moved';

export function resultOf({ running, error, whole, expert, choice }: Row): ResultKind {
  if (running) return 'running';
  if (error !== null) return 'failed';
  if (!whole) return 'left';
  return choice && expert !== choice.home ? 'moved' : 'ok';
}

const LOOKS: Readonly<Record<ResultKind, string>> = {
  ok: 'good',
  running: 'running',
  failed: 'bad',
  left: 'warn',
  moved: 'moved',
};

export function Result({ row }: { row: Row }) {
  const kind = resultOf(row);
  return <span class={`state ${LOOKS[kind]}`}>{words().requests.results[kind]}</span>;
}
