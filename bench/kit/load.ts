/** Load for benches, built on the load test: one stage at a time against a port of this machine. */
import { crc32 } from 'node:zlib';
import { seededRandom } from '../../src/core/random.ts';
import {
  type Exchange,
  HttpClient,
  type OutgoingRequest,
  type ResponseHandler,
} from '../../src/http/client.ts';
import type { ResponseHead } from '../../src/http/response-parser.ts';
import { generated } from '../../src/load/loadtest/prompts.ts';
import type { StageResult } from '../../src/load/loadtest/result.ts';
import { loadClient, NO_DEADLINES, runStage } from '../../src/load/loadtest/stage.ts';
import { TOPIC_COUNT } from '../../src/load/loadtest/topics.ts';
import type { Arrivals } from '../../src/simulating/workload/arrivals.ts';
import { normalised } from '../../src/simulating/workload/clusters.ts';

export interface Load {
  readonly port: number;
  /** Where the next request goes, if not always to the same port. */
  readonly portNow?: () => number;
  readonly arrivals: Arrivals;
  readonly stream: boolean;
  readonly seconds: number;
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly rampSeconds?: number;
  readonly drainSeconds?: number;
  /** Relative frequency of each topic; even when absent. */
  readonly topics?: readonly number[];
  readonly seed?: number;
  readonly watch?: Watch;
  /** Model and headers of requests; model `auto` and no headers when absent. */
  readonly ask?: { readonly model: string; readonly headers: Readonly<Record<string, string>> };
}

export interface Watch {
  /** Called with the head of every answer. */
  onHead?(head: ResponseHead): void;
  /** Called with the CRC-32 of every complete body. */
  onWhole?(crc: number): void;
}

/** A client that reports the head and the complete body's checksum of every answer. */
class WatchedClient extends HttpClient {
  readonly #watch: Watch;

  constructor(origin: URL, watch: Watch) {
    super(origin, NO_DEADLINES);
    this.#watch = watch;
  }

  override request(request: OutgoingRequest, handler: ResponseHandler): Exchange {
    let crc = 0;
    return super.request(request, {
      head: (head) => {
        this.#watch.onHead?.(head);
        handler.head(head);
      },
      data: (payload) => handler.data(payload),
      borrow: (bytes, from, to) => {
        if (this.#watch.onWhole) crc = crc32(bytes.subarray(from, to), crc);
        handler.borrow?.(bytes, from, to);
      },
      end: (surplus) => {
        this.#watch.onWhole?.(crc);
        handler.end(surplus);
      },
      fail: (error) => handler.fail(error),
    });
  }
}

/** A client of several ports, each request to the one of its time. */
class MovingClient extends WatchedClient {
  readonly #portNow: () => number;
  readonly #clients = new Map<number, HttpClient>();
  readonly #watched: Watch;

  constructor(origin: URL, watch: Watch, portNow: () => number) {
    super(origin, watch);
    this.#portNow = portNow;
    this.#watched = watch;
  }

  override request(request: OutgoingRequest, handler: ResponseHandler): Exchange {
    const port = this.#portNow();
    let client = this.#clients.get(port);
    if (!client) {
      client = new WatchedClient(new URL(`http://127.0.0.1:${port}`), this.#watched);
      this.#clients.set(port, client);
    }
    return client.request(request, handler);
  }

  override close(): void {
    for (const client of this.#clients.values()) client.close();
    super.close();
  }
}

export async function put(load: Load, stop = new AbortController().signal): Promise<StageResult> {
  const origin = new URL(`http://127.0.0.1:${load.port}`);
  const { watch, portNow } = load;
  const client = portNow
    ? new MovingClient(origin, watch ?? {}, portNow)
    : watch
      ? new WatchedClient(origin, watch)
      : loadClient(origin);
  const random = seededRandom(load.seed ?? 1);
  const fixed = (tokens: number) => ({ kind: 'fixed', tokens }) as const;
  const topics = normalised(load.topics ?? Array.from({ length: TOPIC_COUNT }, () => 1));
  const lengths = {
    kind: 'independent',
    prompt: fixed(load.promptTokens),
    output: fixed(load.answerTokens),
  } as const;
  try {
    return await runStage(
      {
        arrivals: load.arrivals,
        traced: null,
        seconds: load.seconds,
        rampSeconds: load.rampSeconds ?? 0,
        drainSeconds: load.drainSeconds ?? 10,
        timeoutMs: 120_000,
        maxInFlight: 20_000,
        maxRequests: Number.POSITIVE_INFINITY,
        prompts: generated(lengths, topics, load.answerTokens, random.fork(0)),
        requestOptions: {
          path: '/v1/chat/completions',
          model: load.ask?.model ?? 'auto',
          key: null,
          stream: load.stream,
          exactLength: true,
          headers: load.ask?.headers ?? {},
        },
        random: random.fork(1),
      },
      client,
      stop,
      () => {},
    );
  } finally {
    client.close();
  }
}

/** The value of a counter in Prometheus's text format, summed over its labels. */
export async function counter(port: number, name: string): Promise<number> {
  const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return page
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
