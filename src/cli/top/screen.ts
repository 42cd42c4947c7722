/** What `top` shows: a line on the whole, and a line for each expert. */
import { textTable } from '../../report/text-table.ts';
import { addBins, type Bins, quantileOf } from '../../serving/board/bins.ts';
import { type ExpertNow, type Frame, type Second, TALLY, type Tally } from '../../serving/board/wire.ts';
import { clock, count, DASH, duration, percent } from '../plain-numbers.ts';

const MINUTE = 60;
const PLACE = Object.fromEntries(TALLY.map((name, place) => [name, place])) as Tally;
const GAP = '   ';
const LONGEST_NAME = 32;

interface Column {
  readonly head: string;
  /** Where there is no room for all, the highest stay. */
  readonly rank: number;
  cell(line: Line): string;
}

/** An expert in the last minute. */
interface Line {
  readonly id: string;
  readonly now: ExpertNow;
  sum(name: keyof Tally): number;
  /** Requests that ended, of all experts. */
  readonly ended: number;
}

const COLUMNS: readonly Column[] = [
  { head: 'EXPERT', rank: 9, cell: ({ id }) => shortened(id) },
  { head: 'STATE', rank: 8, cell: ({ now }) => stateOf(now) },
  { head: 'IN FLIGHT', rank: 6, cell: ({ now }) => count(now.inFlight) },
  { head: 'QUEUE', rank: 5, cell: ({ now }) => count(now.queued) },
  { head: 'SHARE', rank: 7, cell: ({ sum, ended }) => share(sum('ended'), ended) },
  { head: 'FIRST TOKEN', rank: 4, cell: ({ sum }) => mean(sum('firstMs'), sum('firsts')) },
  { head: 'EXPECTED', rank: 1, cell: ({ sum }) => mean(sum('expectedMs'), sum('waits')) },
  { head: 'WAITED', rank: 2, cell: ({ sum }) => mean(sum('waitedMs'), sum('waits')) },
  { head: 'CACHED', rank: 0, cell: ({ sum }) => share(sum('cached'), sum('cacheTold')) },
  { head: 'FAILED', rank: 3, cell: ({ sum }) => share(sum('failed'), sum('ended')) },
];

/** Of the terminal, in letters. */
export interface Room {
  readonly columns: number;
  readonly rows: number;
}

const ENDLESS: Room = { columns: Number.POSITIVE_INFINITY, rows: Number.POSITIVE_INFINITY };

export class Screen {
  #seconds: readonly Second[] = [];

  remember(seconds: readonly Second[]): void {
    const last = this.#seconds.at(-1)?.at ?? 0;
    this.#seconds = [...this.#seconds, ...seconds.filter(({ at }) => at > last)].slice(-MINUTE);
  }

  /** Never larger than the room, however many experts there are. */
  draw({ seconds, experts, now }: Frame, { columns, rows }: Room = ENDLESS): string {
    this.remember(seconds);
    const minute = this.#seconds.filter(({ at }) => at >= Math.floor(now / 1000) - MINUTE);
    const ids = Object.keys(experts);
    const ended = ids.reduce((sum, id) => sum + total(minute, 'ended', id), 0);
    const lines = ids.map((id) => ({
      id,
      now: experts[id]!,
      sum: (name: keyof Tally) => total(minute, name, id),
      ended,
    }));
    const above = wrapped(summary(minute, { experts, now }), columns);
    const left = rows - above.length - 2;
    const shown = lines.length > left ? foremost(lines, Math.max(1, left - 1)) : lines;
    const hidden = lines.length - shown.length;
    const more = hidden === 0 ? [] : [`and ${hidden} more`];
    return [...above, '', fitted(shown, columns), ...more].join('\n');
  }
}

/** Those in trouble, then the busiest, in the order of the config. */
function foremost(lines: readonly Line[], most: number): readonly Line[] {
  const weight = ({ now, sum }: Line): number =>
    (stateOf(now) === 'ok' ? 0 : 1e9) + now.inFlight + now.queued + sum('ended');
  const chosen = new Set([...lines].sort((a, b) => weight(b) - weight(a)).slice(0, most));
  return lines.filter((line) => chosen.has(line));
}

/** As many columns as there is room for. */
function fitted(lines: readonly Line[], room: number): string {
  for (let least = 0; ; least++) {
    const columns = COLUMNS.filter(({ rank }) => rank >= least);
    const table = textTable([
      columns.map(({ head }) => head),
      ...lines.map((line) => columns.map(({ cell }) => cell(line))),
    ]);
    if (columns.length === 1 || table.split('\n').every((line) => line.length <= room)) return table;
  }
}

/** As lines no longer than the room, where a part by itself is not. */
function wrapped(parts: readonly string[], room: number): readonly string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const longer = lines.length === 0 ? part : `${lines.at(-1)}${GAP}${part}`;
    if (longer.length <= room) lines.splice(-1, 1, longer);
    else lines.push(part);
  }
  return lines;
}

function shortened(id: string): string {
  return id.length > LONGEST_NAME ? `${id.slice(0, LONGEST_NAME - 1)}…` : id;
}

function stateOf({ drained, available, broken }: ExpertNow): string {
  if (drained) return 'drained';
  if (!available) return 'DOWN';
  return broken > 0 ? 'breaker open' : 'ok';
}

function summary(
  minute: readonly Second[],
  { experts, now }: Pick<Frame, 'experts' | 'now'>,
): readonly string[] {
  const ids = Object.keys(experts);
  const sum = (name: keyof Tally): number => ids.reduce((all, id) => all + total(minute, name, id), 0);
  const inFlight = ids.reduce((all, id) => all + experts[id]!.inFlight, 0);
  const queued = ids.reduce((all, id) => all + experts[id]!.queued, 0);
  return [
    clock(now),
    `${count(inFlight)} in flight`,
    `${count(queued)} queued`,
    `${count(sum('chosen') / MINUTE)} requests/s`,
    `${count(sum('output') / MINUTE)} tokens/s`,
    `first token ${quantiles(minute, 'first')}`,
    `each token ${quantiles(minute, 'perToken')}`,
    `${share(sum('spilled'), sum('ended'))} away from home`,
    `${share(sum('failed'), sum('ended'))} failed`,
  ];
}

function quantiles(seconds: readonly Second[], which: 'first' | 'perToken'): string {
  const bins: Bins = {};
  for (const second of seconds) addBins(bins, second[which]);
  const [half = null, most = null] = [0.5, 0.95].map((part) => quantileOf(bins, part));
  return half === null ? DASH : `half in ${duration(half)}, 95 % in ${duration(most)}`;
}

function total(seconds: readonly Second[], name: keyof Tally, expert: string): number {
  return seconds.reduce((sum, { experts }) => sum + (experts[expert]?.[PLACE[name]] ?? 0), 0);
}

function share(part: number, whole: number): string {
  return whole === 0 ? DASH : percent(part / whole);
}

function mean(sum: number, n: number): string {
  return n === 0 ? DASH : duration(sum / n);
}
