/** What one request adds to the metrics of its expert, from the choice to its end. */
import type { Usage } from '../reply/reply.ts';
import { operationOf } from './genai.ts';
import type { TallyCounter, TallyHistogram } from './tallies.ts';

export interface RequestLabels {
  readonly expert: string;
  readonly cluster: number;
  readonly reason: string;
  /** Id of the client's dialect. */
  readonly dialect: string;
}

export interface RequestRecord {
  /** Who answers after all, and at which try. */
  served(expert: string, tries: number): void;
  firstByte(): void;
  /** @param outcome `ok`, `cancelled`, `expert_error` (an error status relayed) or an error code */
  end(outcome: string, usage: Usage | 'unknown'): void;
}

export interface RequestMetrics {
  readonly requests: TallyCounter;
  readonly duration: TallyHistogram;
  readonly firstByte: TallyHistogram;
  readonly retries: TallyCounter;
  readonly spills: TallyCounter;
  readonly promptTokens: TallyCounter;
  readonly generatedTokens: TallyCounter;
}

export class OpenRecord implements RequestRecord {
  readonly #labels: RequestLabels;
  readonly #metrics: RequestMetrics;
  readonly #now: () => number;
  readonly #started: number;
  readonly #operation: string;
  #expert: string;
  #heard = false;
  #ended = false;

  constructor(labels: RequestLabels, metrics: RequestMetrics, now: () => number) {
    this.#labels = labels;
    this.#metrics = metrics;
    this.#now = now;
    this.#started = now();
    this.#expert = labels.expert;
    this.#operation = operationOf(labels.dialect);
  }

  served(expert: string, tries: number): void {
    const { retries, spills } = this.#metrics;
    const from = this.#labels.expert;
    if (tries > 1) retries.add(tries - 1, expert);
    if (expert !== from) spills.add(1, from, expert);
    this.#expert = expert;
  }

  firstByte(): void {
    if (!this.#heard) this.#metrics.firstByte.record(this.#seconds(), this.#expert, this.#operation);
    this.#heard = true;
  }

  end(outcome: string, usage: Usage | 'unknown'): void {
    if (this.#ended) return;
    this.#ended = true;
    const { requests, duration, promptTokens, generatedTokens } = this.#metrics;
    const expert = this.#expert;
    requests.add(1, expert, this.#labels.reason, outcome);
    duration.record(this.#seconds(), expert, this.#operation);
    if (usage === 'unknown') return;
    promptTokens.add(usage.inputTokens, expert);
    generatedTokens.add(usage.outputTokens, expert);
  }

  #seconds(): number {
    return (this.#now() - this.#started) / 1000;
  }
}
