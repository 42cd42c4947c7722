/** An advice as a person reads it. */
import type { Advice, AdvisedExpert } from '../../replaying/advice.ts';
import type { Recorded } from '../../replaying/recorded.ts';
import type { SimulatedOutcome } from '../../replaying/what-if.ts';
import { textTable } from '../../report/text-table.ts';
import { PRICES_OF } from '../../simulating/planner/prices.ts';
import { wait } from '../plan/tables.ts';
import { placementText } from './scales.ts';

interface Told {
  readonly advice: Advice;
  readonly recorded: Recorded;
  readonly notices: readonly string[];
  readonly levels: readonly string[];
}

export function adviceText({ advice, recorded, notices, levels }: Told): string {
  const minutes = Math.max(1, Math.round(recorded.seconds / 60));
  const parts = [
    `${recorded.requests + recorded.errors} requests in ${minutes} min; at the peak of each expert ${levels.join(', ') || 'no service level'}.`,
    textTable([HEAD, ...advice.experts.map(rowOf), totalOf(advice)]),
    advice.experts.map(({ expert, change }) => `${expert}: ${change}.`).join('\n'),
    advice.replayed ? replayText(recorded, advice.replayed) : '',
    notices.map((notice) => `Note: ${notice}.`).join('\n'),
    `Prices without --price are round figures of ${PRICES_OF}. docs/simulator.md states by how much simulations miss.`,
  ];
  return parts.filter(Boolean).join('\n\n');
}

const HEAD = [
  'expert',
  'requests',
  'elsewhere',
  'peak/s',
  'tokens',
  'now',
  'replicas',
  'model and GPU',
  '$/h',
  'scaled',
  'TTFT p95',
];

function rowOf(one: AdvisedExpert): readonly string[] {
  const { placement, requests, replicas_now: now, min, max } = one;
  const asked = requests > 0;
  return [
    one.expert,
    String(requests),
    asked ? `${Math.round((100 * one.elsewhere) / requests)} %` : '–',
    asked ? rate(one.peak_per_second) : '–',
    asked ? `${one.prompt_tokens} + ${one.output_tokens}` : '–',
    now === null ? 'found' : String(now),
    placement ? (min === max ? String(max) : `${min} to ${max}`) : '–',
    placement ? `${one.model} ${placementText(placement)}` : one.model,
    dollars(placement?.usd_per_hour),
    dollars(placement?.usd_per_hour_scaled),
    placement ? wait(placement.ttft_ms_p95) : '–',
  ];
}

function totalOf({ experts }: Advice): readonly string[] {
  const placed = experts.flatMap(({ placement }) => placement ?? []);
  const sum = (of: (one: (typeof placed)[number]) => number | null): number | null =>
    placed.some((one) => of(one) === null) ? null : placed.reduce((all, one) => all + of(one)!, 0);
  const gpus = placed.reduce((all, one) => all + one.gpus, 0);
  const money = [dollars(sum((one) => one.usd_per_hour)), dollars(sum((one) => one.usd_per_hour_scaled))];
  return ['all', '', '', '', '', '', '', `${gpus} GPUs at the peak`, ...money, ''];
}

function replayText(recorded: Recorded, replayed: SimulatedOutcome): string {
  const times = ({ p50, p95 }: { p50: number | null; p95: number | null }): string =>
    `${shown(p50)} / ${shown(p95)}`;
  const rows = [
    ['', 'TTFT p50 / p95', 'whole answer p50 / p95', 'at home'],
    ['as recorded', times(recorded.ttft_ms), times(recorded.e2e_ms), percent(recorded.at_home)],
    ['replayed on this', times(replayed.ttft_ms), times(replayed.e2e_ms), percent(replayed.at_home)],
  ];
  const left = replayed.unfinished > 0 ? `\n${percent(replayed.unfinished)} were never answered.` : '';
  return `${textTable(rows)}${left}`;
}

const shown = (ms: number | null): string => (ms === null || !Number.isFinite(ms) ? '–' : wait(ms));
const percent = (share: number): string => `${Math.round(100 * share)} %`;
const dollars = (usd: number | null | undefined): string =>
  usd === null || usd === undefined ? '–' : `$${usd.toFixed(2)}`;
const rate = (perSecond: number): string =>
  perSecond < 10 ? perSecond.toFixed(2) : String(Math.round(perSecond));
