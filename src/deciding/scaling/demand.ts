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
  /** Of requests in flight and queued: prompt and expected answer. */
  readonly tokens: number;
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
  arrivingTokens: 0,
  sinceArrival: Number.POSITIVE_INFINITY,
  rate: 0,
  coming: false,
};

interface Metric {
  /** What one replica may have, where nobody says. */
  readonly target: number;
  value(demand: Demand, rate: number): number;
}

export const METRICS = {
  /** Seconds of work waiting and in flight, for one replica. */
  work: { target: 10, value: ({ tokens }, rate) => tokens / rate },
  /** Requests in flight and queued. */
  requests: { target: 32, value: ({ inFlight, queued }) => inFlight + queued },
  /** Replicas that what arrives keeps busy; ahead of the queue, and blind to what lies in it. */
  arrivals: { target: 0.7, value: ({ arrivingTokens }, rate) => arrivingTokens / rate },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

/** Tokens a second of a replica that has never been seen working: a guess that costs one replica too many or too few. */
export const ASSUMED_RATE = 500;
/** Prompts spread thinner than this do not keep an expert running. */
const RECENT_SECONDS = 60;

/** @param rate tokens a second of one replica, as its operator knows it; null for as seen */
export function metricValueOf(metric: MetricName, demand: Demand, rate: number | null): number {
  return METRICS[metric].value(demand, rate ?? (demand.rate || ASSUMED_RATE));
}

/**
 * Whether it is to run at all: something is with it or waits for it, it is on its way for somebody, or prompts
 * of its kind came lately, even if others answered them because it did not run.
 */
export function isActive({ inFlight, queued, coming, sinceArrival }: Demand): boolean {
  return inFlight + queued > 0 || coming || sinceArrival < RECENT_SECONDS;
}
