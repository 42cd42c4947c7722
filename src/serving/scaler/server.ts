/** KEDA's external scaler over gRPC: pull (`external`) and push (`external-push`). */
import {
  Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { grpcService, listenGrpc } from '../../core/grpc-service.ts';
import { nearestName } from '../../core/suggest.ts';
import {
  type Demand,
  isActive,
  METRICS,
  type MetricName,
  metricValueOf,
  NO_DEMAND,
} from '../../deciding/scaling/demand.ts';
import type { Demands } from './demands.ts';

/** What a trigger of a ScaledObject says; KEDA passes the texts of its `metadata` on. */
interface ScaledObjectRef {
  readonly name?: string;
  readonly namespace?: string;
  readonly scalerMetadata?: Readonly<Record<string, string>>;
}
interface Active {
  readonly result: boolean;
}
type ActiveStream = ServerWritableStream<ScaledObjectRef, Active>;

interface Asked {
  readonly demand: () => Demand;
  readonly metric: MetricName;
  readonly target: number;
  /** Tokens a second of one replica; null for as seen. */
  readonly rate: number | null;
}

/** How often those who have been told are told of changes. */
const LOOK_EVERY_MS = 100;

class Refusal extends Error {}

export function externalScalerService() {
  return grpcService(new URL('externalscaler.proto', import.meta.url), 'externalscaler.ExternalScaler');
}

export class ScalerServer {
  readonly #server = new Server();
  readonly #demands: Demands;
  readonly #watching = new Map<ActiveStream, { readonly demand: () => Demand; told: boolean | null }>();
  #looking: NodeJS.Timeout | null = null;

  constructor(demands: Demands) {
    this.#demands = demands;
    this.#server.addService(externalScalerService(), {
      IsActive: this.#answer((asked) => ({ result: isActive(asked.demand()) })),
      GetMetricSpec: this.#answer(({ metric, target }) => ({
        metricSpecs: [
          // The whole number is for versions that know no other.
          { metricName: metric, targetSize: Math.max(1, Math.round(target)), targetSizeFloat: target },
        ],
      })),
      GetMetrics: this.#answer(({ metric, demand, rate }) => {
        const value = metricValueOf(metric, demand(), rate);
        return {
          metricValues: [{ metricName: metric, metricValue: Math.ceil(value), metricValueFloat: value }],
        };
      }),
      StreamIsActive: (call: ActiveStream) => this.#watch(call),
    });
  }

  /** @returns `host:port` as bound; rejects with the system's error when it cannot be */
  async listen(host: string, port: number): Promise<string> {
    const bound = await listenGrpc(this.#server, host, port);
    this.#looking = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
    return bound;
  }

  /** KEDA asks again elsewhere, or later. */
  close(): void {
    if (this.#looking) clearInterval(this.#looking);
    this.#server.forceShutdown();
  }

  #answer<Answer>(answer: (asked: Asked) => Answer) {
    return (
      { request }: ServerUnaryCall<ScaledObjectRef & { scaledObjectRef?: ScaledObjectRef }, Answer>,
      done: sendUnaryData<Answer>,
    ): void => {
      try {
        done(null, answer(this.#asked(request.scaledObjectRef ?? request)));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        done({ code: status.INVALID_ARGUMENT, details: error.message });
      }
    };
  }

  #watch(call: ActiveStream): void {
    try {
      const { demand } = this.#asked(call.request);
      this.#watching.set(call, { demand, told: null });
      for (const event of ['cancelled', 'close', 'error']) call.on(event, () => this.#watching.delete(call));
      this.#look();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      call.emit('error', { code: status.INVALID_ARGUMENT, details: error.message });
    }
  }

  #look(): void {
    for (const [call, watch] of this.#watching) {
      const result = isActive(watch.demand());
      if (result === watch.told) continue;
      watch.told = result;
      call.write({ result });
    }
  }

  /** @throws Refusal naming what is wrong in the trigger's metadata */
  #asked({ scalerMetadata: metadata = {} }: ScaledObjectRef): Asked {
    const { expert, metric = 'work' } = metadata;
    const { experts } = this.#demands;
    const known = experts.join(', ');
    if (expert === undefined) throw new Refusal(`metadata.expert is missing: one of ${known}.`);
    if (!experts.includes(expert)) {
      const near = nearestName(expert, experts);
      throw new Refusal(
        `metadata.expert: there is no '${expert}'${near ? `; did you mean '${near}'?` : '.'} Known: ${known}.`,
      );
    }
    if (!Object.hasOwn(METRICS, metric))
      throw new Refusal(`metadata.metric: '${metric}' is none of ${Object.keys(METRICS).join(', ')}.`);
    const name = metric as MetricName;
    return {
      // One that a reload has taken away wants nothing any more.
      demand: () => this.#demands.of(expert) ?? NO_DEMAND,
      metric: name,
      target: positive('target', metadata.target) ?? METRICS[name].target,
      rate: positive('tokensPerSecond', metadata.tokensPerSecond),
    };
  }
}

/** Null where absent. */
function positive(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new Refusal(`metadata.${name}: '${text}' is not a number above 0.`);
}
