/** Reads an engine's load from its page of metrics, over a client that is kept from one reading to the next. */
import type { HttpClient } from '../../http/client.ts';
import { ask, isAnswer } from './ask.ts';
import type { ReportedLoad } from './engine.ts';
import { LOAD_METRICS, loadFrom, metricsOf, tellsLoad } from './load.ts';
import { parseMetrics } from './prometheus.ts';

/**
 * Why a load could not be read. `unreachable`: no answer; `refused`: an answer that is an error; `not-metrics`: a page
 * of something else; `unknown-names`: metrics, but none that the table has for this engine.
 */
export type ScrapeFailure = 'unreachable' | 'refused' | 'not-metrics' | 'unknown-names';

export class ScrapeError extends Error {
  override readonly name = 'ScrapeError';
  readonly failure: ScrapeFailure;

  constructor(failure: ScrapeFailure, message: string) {
    super(message);
    this.failure = failure;
  }
}

export interface ScrapeTarget {
  readonly client: HttpClient;
  readonly address: URL;
  /** Null: looked for in the table of all engines. */
  readonly engine: string | null;
  readonly model: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Rejects with `ScrapeError`, and with nothing else. */
export async function readLoad(target: ScrapeTarget, signal: AbortSignal): Promise<ReportedLoad> {
  const { client, address, engine, model, headers = {} } = target;
  const asked = await ask(client, { path: address.pathname + address.search, headers }, signal);
  if (!isAnswer(asked)) throw new ScrapeError('unreachable', `${address.href}: ${asked.detail}`);
  if (asked.status !== 200)
    throw new ScrapeError('refused', `${address.href} answered ${asked.status} instead of metrics`);
  const page = parseMetrics(asked.body, LOAD_METRICS);
  if (page.lines <= page.unreadable)
    throw new ScrapeError('not-metrics', `${address.href} is not a page of metrics in Prometheus' format`);
  const load = loadFrom(page, engine, model);
  if (!tellsLoad(load)) {
    const names = metricsOf(engine).join(', ');
    throw new ScrapeError(
      'unknown-names',
      `${address.href} has metrics, but none of ${engine ?? 'the known engines'} (${names}): another version may have renamed them`,
    );
  }
  return load;
}
