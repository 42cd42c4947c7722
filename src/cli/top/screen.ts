/** What `top` shows: a line on the whole, and a line for each expert. */
import { textTable } from '../../report/text-table.ts';
import { addBins, type Bins, quantileOf } from '../../serving/board/bins.ts';
import { type ExpertNow, type Frame, type Second, TALLY, type Tally } from '../../serving/board/wire.ts';
import { clock, count, DASH, duration, percent } from '../plain-numbers.ts';

const MINUTE = 60;
const PLACE = Object.fromEntries(TALLY.map((name, place) => [name, place])) as Tally;
const HEAD = [
  'EXPERT',
  'STATE',
  'IN FLIGHT',
  'QUEUE',
  'SHARE',
  'FIRST TOKEN',
  'EXPECTED',
  'WAITED',
  'CACHED',
  'FAILED',
];

export class Screen {
  #seconds: readonly Second[] = [];

  remember(seconds: readonly Second[]): void {
    const last = this.#seconds.at(-1)?.at ?? 0;
    this.#seconds = [...this.#seconds, ...seconds.filter(({ at }) => at > last)].slice(-MINUTE);
  }

  draw({ seconds, experts, now }: Frame): string {
    this.remember(seconds);
    const minute = this.#seconds.filter(({ at }) => at >= Math.floor(now / 1000) - MINUTE);
    const all = Object.keys(experts);
    const ended = all.reduce((sum, id) => sum + total(minute, 'ended', id), 0);
    const rows = all.map((id) => {
      const { inFlight, queued } = experts[id]!;
      const sum = (name: keyof Tally): number => total(minute, name, id);
      return [
        id,
        stateOf(experts[id]!),
        count(inFlight),
        count(queued),
        share(sum('ended'), ended),
        mean(sum('firstMs'), sum('firsts')),
        mean(sum('expectedMs'), sum('waits')),
        mean(sum('waitedMs'), sum('waits')),
        share(sum('cached'), sum('cacheTold')),
        share(sum('failed'), sum('ended')),
      ];
    });
    return `${summary(minute, { experts, now })}\n\n${textTable([HEAD, ...rows])}`;
  }
}

function stateOf({ drained, available, broken }: ExpertNow): string {
  if (drained) return 'drained';
  if (!available) return 'DOWN';
  return broken > 0 ? 'breaker open' : 'ok';
}

function summary(minute: readonly Second[], { experts, now }: Pick<Frame, 'experts' | 'now'>): string {
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
  ].join('   ');
}

function quantiles(seconds: readonly Second[], which: 'first' | 'perToken'): string {
  const bins: Bins = {};
  for (const second of seconds) addBins(bins, second[which]);
  const [half, most] = [0.5, 0.95].map((part) => duration(quantileOf(bins, part)));
  return `half in ${half}, 95 % in ${most}`;
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
