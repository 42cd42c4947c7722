/**
 * How much is asked of an expert, in numbers that an autoscaler divides by a target to get replicas. Pure.
 *
 * With W tokens waiting and in flight, and r tokens a second that one replica does, W / r are the seconds of work for one
 * replica. By Little's law that is n · T for n replicas of which each request stays T seconds, so replicas = W / r /
 * target keeps the time that a request stays near the target.
 */

export interface Demand {
  readonly inFlight: number;
  readonly queued: number;
  /** Of requests in flight, and of those that are queued: prompt and expected answer. */
  readonly tokens: number;
  readonly queuedTokens: number;
  /** What its servers hold as far as they tell, whoever sent it; ours is in it. */
  readonly seen: { readonly inFlight: number; readonly tokens: number };
  /** Seconds that whoever waits longest has waited; 0 where nobody waits. */
  readonly oldestWait: number;
  /** Replicas that take requests. */
  readonly ready: number;
  /** Of prompts that belong to it, whoever answers them: tokens a second, lately. */
  readonly arrivingTokens: number;
  /** Seconds since the last of those; Infinity for never. */
  readonly sinceArrival: number;
  /** Tokens a second that one replica does with a request in every slot; 0 while none has been seen working. */
  readonly rate: number;
  /** Whether a replica loads its model, or is on its way for somebody who needed it. */
  readonly coming: boolean;
}

/** Of an expert that nobody has asked. */
export const NO_DEMAND: Demand = {
  inFlight: 0,
  queued: 0,
  tokens: 0,
  queuedTokens: 0,
  seen: { inFlight: 0, tokens: 0 },
  oldestWait: 0,
  ready: 0,
  arrivingTokens: 0,
  sinceArrival: Number.POSITIVE_INFINITY,
  rate: 0,
  coming: false,
};

/** What a request may wait before more is wanted. Replicas take longer to come: more than twice as many are not asked for. */
const WAIT_SECONDS = 2;

interface Metric {
  /** What one replica may have, where nobody says. */
  readonly target: number;
  value(demand: Demand, rate: number): number;
}

export const METRICS = {
  /** Seconds of work waiting and in flight, for one replica. */
  work: {
    target: 10,
    value: ({ tokens, queuedTokens, seen }, rate) => (Math.max(tokens, seen.tokens) + queuedTokens) / rate,
  },
  /** Requests in flight and queued. */
  requests: {
    target: 32,
    value: ({ inFlight, queued, seen }) => Math.max(inFlight, seen.inFlight) + queued,
  },
  /** Replicas that what arrives keeps busy; ahead of the queue, and blind to what lies in it. */
  arrivals: { target: 0.7, value: ({ arrivingTokens }, rate) => arrivingTokens / rate },
  /** Replicas that it has, as many times as its longest wait is of the one allowed, at most twice as many. */
  wait: { target: 1, value: ({ ready, oldestWait }) => ready * Math.min(2, oldestWait / WAIT_SECONDS) },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

/** Tokens a second of a replica that has never been seen working: a guess that costs one replica too many or too few. */
export const ASSUMED_RATE = 500;
/** Prompts spread thinner than this do not keep an expert running. */
const RECENT_SECONDS = 60;

/** Of one expert at several gateways, each of which knows its own requests. In any order the same. */
export function together(demands: readonly Demand[]): Demand {
  const sum = (of: (demand: Demand) => number): number => demands.reduce((all, one) => all + of(one), 0);
  const most = (of: (demand: Demand) => number): number => Math.max(0, ...demands.map(of));
  const rates = demands.map(({ rate }) => rate).filter((rate) => rate > 0);
  return {
    inFlight: sum(({ inFlight }) => inFlight),
    queued: sum(({ queued }) => queued),
    tokens: sum(({ tokens }) => tokens),
    queuedTokens: sum(({ queuedTokens }) => queuedTokens),
    seen: { inFlight: most(({ seen }) => seen.inFlight), tokens: most(({ seen }) => seen.tokens) },
    oldestWait: most(({ oldestWait }) => oldestWait),
    ready: most(({ ready }) => ready),
    arrivingTokens: sum(({ arrivingTokens }) => arrivingTokens),
    sinceArrival: Math.min(...demands.map(({ sinceArrival }) => sinceArrival)),
    rate: rates.length === 0 ? 0 : rates.reduce((all, one) => all + one) / rates.length,
    coming: demands.some(({ coming }) => coming),
  };
}

/** @param rate tokens a second of one replica, as its operator knows it; null for as seen */
export function metricValueOf(metric: MetricName, demand: Demand, rate: number | null): number {
  return METRICS[metric].value(demand, rate ?? (demand.rate || ASSUMED_RATE));
}

/**
 * Whether it is to run at all: something is with it, of ours or of others, or waits for it, it is on its way for somebody, or prompts
 * of its kind came lately, even if others answered them because it did not run.
 */
export function isActive({ inFlight, queued, seen, coming, sinceArrival }: Demand): boolean {
  return inFlight + queued + seen.inFlight > 0 || coming || sinceArrival < RECENT_SECONDS;
}
