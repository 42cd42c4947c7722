/** Score against cost: what each value of one knob buys, and which value meets an aim. */
import { chosen, leadOf, type Price } from '../../deciding/quality/quality.ts';
import type { Outcomes } from '../outcomes/outcomes.ts';
import { type Difference, mean, paired, scoresOf, singleScores } from './choice.ts';

/** Predictions for prompts that they were not learned from. */
export interface Predictions {
  /** n × m, in the order of the outcomes. */
  readonly predicted: Float64Array;
  readonly prices: readonly Price[];
  readonly best: number;
  readonly headStart: number;
}

export interface TradeOffPoint {
  /** Score that one unit of cost must add. */
  readonly scorePerCost: number;
  readonly score: number;
  /** Mean cost of an answer. */
  readonly cost: number;
  /** Seconds; null where latencies are not known. */
  readonly latency: number | null;
  /** Share of the prompts that each expert gets, in the experts' order. */
  readonly shares: readonly number[];
  /** The score minus that of the best single expert. */
  readonly lead: Difference;
}

export interface TradeOff {
  readonly experts: readonly string[];
  /** By falling cost. */
  readonly points: readonly TradeOffPoint[];
  readonly singles: readonly { readonly expert: string; readonly score: number; readonly cost: number }[];
  readonly best: number;
  /** Average improvement in quality: area under the hull of the points, over the range of costs (RouterBench). */
  readonly aiq: number;
  /** The same for mixing single experts by lot, which needs no router. */
  readonly aiqWithoutRouter: number;
}

const STEPS = 80;

export function tradeOff(outcomes: Outcomes, predictions: Predictions): TradeOff {
  const { experts } = outcomes;
  const usable = predictions.prices.filter(({ cost }) => cost !== null).length;
  const costs = predictions.prices.map(({ cost }) => cost ?? Number.NaN);
  const positive = costs.filter((cost) => cost > 0);
  const unit = positive.length === 0 || usable === 0 ? 1 : 1 / Math.max(...positive);
  const knobs = [
    0,
    ...Array.from({ length: STEPS }, (_, step) => unit * 10 ** (-3 + (6 * step) / (STEPS - 1))),
  ];
  const best = singleScores(outcomes, predictions.best);
  const points: TradeOffPoint[] = [];
  for (const knob of knobs) {
    const point = pointAt(outcomes, predictions, knob, best);
    const before = points.at(-1);
    if (!before || point.shares.some((share, expert) => share !== before.shares[expert])) points.push(point);
  }
  const singles = experts.map((expert, index) => ({
    expert,
    score: mean(singleScores(outcomes, index)),
    cost: costs[index]!,
  }));
  const range: readonly [number, number] = [
    Math.min(...singles.map(({ cost }) => cost)),
    Math.max(...singles.map(({ cost }) => cost)),
  ];
  return {
    experts,
    points,
    singles,
    best: predictions.best,
    aiq: areaUnderHull([...points, ...singles.filter((_, index) => index === predictions.best)], range),
    aiqWithoutRouter: areaUnderHull(singles, range),
  };
}

/** The choices at one value of the knob, by the rule of a decision. */
export function choicesAt(
  { experts, prompts }: Outcomes,
  predictions: Predictions,
  knob: number,
): readonly string[] {
  const { predicted, prices, best, headStart } = predictions;
  const m = experts.length;
  const values = new Float64Array(m);
  // The lead belongs to the best for its price.
  const price = prices.map(({ cost }) => knob * (cost ?? 0));
  const means = experts.map((_, expert) => {
    let sum = 0;
    for (let at = expert; at < predicted.length; at += m) sum += predicted[at]!;
    return sum / prompts.length - price[expert]!;
  });
  const top = knob === 0 ? best : means.indexOf(Math.max(...means));
  return prompts.map((_, row) => {
    for (let expert = 0; expert < m; expert += 1)
      values[expert] = predicted[row * m + expert]! - price[expert]!;
    return experts[chosen(values, top, leadOf(headStart, knob > 0))]!;
  });
}

function pointAt(
  outcomes: Outcomes,
  predictions: Predictions,
  knob: number,
  best: Float64Array,
): TradeOffPoint {
  const { experts, costs, latencies } = outcomes;
  const choices = choicesAt(outcomes, predictions, knob);
  const scores = scoresOf(outcomes, choices);
  const meanOf = (values: Float64Array | null): number =>
    values === null
      ? Number.NaN
      : mean(choices.map((choice, row) => values[row * experts.length + experts.indexOf(choice)]!));
  const latency = meanOf(latencies);
  return {
    scorePerCost: knob,
    score: mean(scores),
    cost: meanOf(costs),
    latency: Number.isNaN(latency) ? null : latency,
    shares: experts.map((expert) => choices.filter((choice) => choice === expert).length / choices.length),
    lead: paired(scores, best),
  };
}

/** Area under the upper hull of score over cost, made non-decreasing, divided by the width of the range. */
export function areaUnderHull(
  points: readonly { readonly score: number; readonly cost: number }[],
  [from, to]: readonly [number, number],
): number {
  if (!(to > from)) return Math.max(...points.map(({ score }) => score));
  const hull = upperHull(points);
  const at = (cost: number): number => {
    const right = hull.findIndex((point) => point.cost >= cost);
    if (right < 0) return hull.at(-1)!.score;
    if (right === 0) return hull[0]!.score;
    const [a, b] = [hull[right - 1]!, hull[right]!];
    return a.score + ((b.score - a.score) * (cost - a.cost)) / (b.cost - a.cost);
  };
  const STEPS_OF_AREA = 1_000;
  let sum = 0;
  for (let step = 0; step < STEPS_OF_AREA; step += 1)
    sum += at(from + ((to - from) * (step + 0.5)) / STEPS_OF_AREA);
  return sum / STEPS_OF_AREA;
}

/** From the cheapest to the best, each step dearer by score than the one before (Andrew's monotone chain). */
export function upperHull<P extends { readonly score: number; readonly cost: number }>(
  points: readonly P[],
): P[] {
  const hull: P[] = [];
  const sorted = [...points]
    .filter(({ score, cost }) => !Number.isNaN(score) && !Number.isNaN(cost))
    .sort((a, b) => a.cost - b.cost || b.score - a.score);
  for (const point of sorted) {
    if (hull.length > 0 && point.score <= hull.at(-1)!.score) continue;
    while (hull.length > 1 && isBelow(hull.at(-2)!, hull.at(-1)!, point)) hull.pop();
    hull.push(point);
  }
  return hull;
}

type Place = { readonly score: number; readonly cost: number };

function isBelow(a: Place, middle: Place, b: Place): boolean {
  return (middle.score - a.score) * (b.cost - a.cost) <= (b.score - a.score) * (middle.cost - a.cost);
}

/** What the user wants of the knob. */
export type Aim =
  | { readonly kind: 'cost'; readonly atMost: number }
  | { readonly kind: 'share'; readonly expert: string; readonly atMost: number }
  | { readonly kind: 'best-single'; readonly keep: number };

/** The point that meets the aim best; null if none does. */
export function pointFor({ points, experts, singles, best }: TradeOff, aim: Aim): TradeOffPoint | null {
  if (aim.kind === 'cost') return highest(points.filter(({ cost }) => cost <= aim.atMost));
  if (aim.kind === 'share') {
    const expert = experts.indexOf(aim.expert);
    return highest(points.filter(({ shares }) => shares[expert]! <= aim.atMost));
  }
  const wanted = aim.keep * singles[best]!.score;
  const enough = points.filter(({ score }) => score >= wanted);
  return enough.length === 0 ? null : enough.reduce((a, b) => (b.cost < a.cost ? b : a));
}

function highest(points: readonly TradeOffPoint[]): TradeOffPoint | null {
  return points.length === 0 ? null : points.reduce((a, b) => (b.score > a.score ? b : a));
}

export interface PairMeasures {
  readonly strong: string;
  readonly weak: string;
  /** Average performance gap recovered over all shares of calls to the strong model (RouteLLM, section 3.2). */
  readonly apgr: number;
  /** Share of calls to the strong model at which 50 and 80 % of the gap are recovered. */
  readonly cpt50: number | null;
  readonly cpt80: number | null;
}

/** Two experts alone: prompts go to the strong one in the order of the gain predicted. */
export function pairMeasures(
  outcomes: Outcomes,
  predicted: Float64Array,
  strong: number,
  weak: number,
): PairMeasures {
  const { experts, scores, prompts } = outcomes;
  const m = experts.length;
  const order = prompts
    .map((_, row) => ({
      gain: predicted[row * m + strong]! - predicted[row * m + weak]!,
      strong: scores[row * m + strong]!,
      weak: scores[row * m + weak]!,
    }))
    .filter((one) => !Number.isNaN(one.strong) && !Number.isNaN(one.weak))
    .sort((a, b) => b.gain - a.gain);
  const weakMean = mean(order.map((one) => one.weak));
  const gap = mean(order.map((one) => one.strong)) - weakMean;
  let gained = 0;
  let area = 0;
  let cpt50: number | null = null;
  let cpt80: number | null = null;
  order.forEach((one, index) => {
    const before = gained;
    gained += (one.strong - one.weak) / order.length / gap;
    area += (before + gained) / 2 / order.length;
    const share = (index + 1) / order.length;
    if (cpt50 === null && gained >= 0.5) cpt50 = share;
    if (cpt80 === null && gained >= 0.8) cpt80 = share;
  });
  return { strong: experts[strong]!, weak: experts[weak]!, apgr: area, cpt50, cpt80 };
}
