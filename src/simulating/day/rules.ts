/** The rules that are compared: what each reads of an expert, and between which bounds it may scale. */
import {
  type Demand,
  isActive,
  METRICS,
  type MetricName,
  metricValueOf,
} from '../../deciding/scaling/demand.ts';
import type { Reading } from './autoscaler.ts';

export interface Rule {
  readonly name: string;
  readonly summary: string;
  /** Replicas that always run. */
  readonly min: number;
  /** Null for a fleet that is never scaled. */
  readonly readings: ((demand: Demand) => readonly Reading[]) | null;
  active(demand: Demand): boolean;
}

/** Requests waiting for one replica, as vLLM's production stack scales by default. */
const WAITING = 5;

const read =
  (...names: readonly MetricName[]) =>
  (demand: Demand): readonly Reading[] =>
    names.map((name) => ({ value: metricValueOf(name, demand, null), target: METRICS[name].target }));

export const RULES: readonly Rule[] = [
  {
    name: 'static',
    summary: 'as many replicas as the busiest hour needs, by the topics of the morning',
    min: 0,
    readings: null,
    active: () => true,
  },
  {
    name: 'queue',
    summary: `KEDA by queue length: ${WAITING} waiting requests a replica, at least one replica`,
    min: 1,
    readings: ({ queued }) => [{ value: queued, target: WAITING }],
    active: () => true,
  },
  {
    name: 'requests',
    summary: `KEDA by requests in flight and waiting: ${METRICS.requests.target} a replica, at least one replica`,
    min: 1,
    readings: read('requests'),
    active: () => true,
  },
  {
    name: 'expert-router',
    summary:
      'the external scaler with its defaults: seconds of work, arrivals and the longest wait; from zero',
    min: 0,
    readings: read('work', 'arrivals', 'wait'),
    active: isActive,
  },
];
