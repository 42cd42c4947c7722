/** Keeps decisions with their features and ends, and feedback on them, for `expert-router learn --from`. */
import {
  type DecisionEnd,
  type DecisionFeatures,
  decisionLine,
  type Feedback,
  feedbackLine,
} from './record.ts';
import { Segments, type SegmentsOptions } from './segments.ts';

/** Decisions whose requests still run; the oldest are forgotten beyond it. */
const MOST_PENDING = 10_000;

export class Records {
  readonly #segments: Segments;
  readonly #epoch: () => number;
  readonly #pending = new Map<string, DecisionFeatures>();

  private constructor(segments: Segments, epoch: () => number) {
    this.#segments = segments;
    this.#epoch = epoch;
  }

  /** @param epoch milliseconds since 1970 @throws UserError when the folder cannot be written to */
  static async open(options: SegmentsOptions, epoch: () => number): Promise<Records> {
    return new Records(await Segments.open(options), epoch);
  }

  decided(features: DecisionFeatures): void {
    this.#pending.delete(features.traceId);
    this.#pending.set(features.traceId, features);
    if (this.#pending.size > MOST_PENDING) this.#pending.delete(this.#pending.keys().next().value!);
  }

  ended(end: DecisionEnd): void {
    const features = this.#pending.get(end.traceId);
    if (!features) return;
    this.#pending.delete(end.traceId);
    this.#segments.append(decisionLine(features, end));
  }

  /** The decision may be in another process's file: they are brought together when something is learned. */
  feedback(feedback: Feedback): void {
    this.#segments.append(feedbackLine(feedback, this.#epoch()));
  }

  close(): Promise<void> {
    return this.#segments.close();
  }
}
