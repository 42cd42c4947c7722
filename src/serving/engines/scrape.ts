/** Reads an engine's load from its metrics page, with a client that is kept between readings. */
import type { HttpClient } from '../../http/client.ts';
import { ask, isAnswer } from './ask.ts';
import type { EngineFacts, ReportedLoad } from './engine.ts';
import { FailureError } from './failure.ts';
import { LOAD_METRICS, loadFrom, metricsOf, tellsLoad } from './load.ts';
import { parseMetrics } from './prometheus.ts';

export interface ScrapeTarget {
  readonly client: HttpClient;
  readonly address: URL;
  /** Null: metrics of any engine count. */
  readonly engine: EngineFacts | null;
  readonly model: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Rejects only with a `FailureError`. */
export async function readLoad(target: ScrapeTarget, signal: AbortSignal): Promise<ReportedLoad> {
  const { client, address, engine, model, headers = {} } = target;
  const asked = await ask(client, { path: address.pathname + address.search, headers }, signal);
  if (!isAnswer(asked)) throw new FailureError(asked, address.href);
  if (asked.status !== 200)
    throw new FailureError({
      kind: 'status',
      asked: address.href,
      status: asked.status,
      message: 'no metrics',
    });
  const page = parseMetrics(asked.body, LOAD_METRICS);
  if (page.lines <= page.unreadable) throw new FailureError({ kind: 'not-metrics' }, address.href);
  const load = loadFrom(page, engine, model);
  if (!tellsLoad(load)) {
    const failure = {
      kind: 'unknown-metrics',
      engine: engine?.name ?? null,
      names: metricsOf(engine),
    } as const;
    throw new FailureError(failure, address.href);
  }
  return load;
}
