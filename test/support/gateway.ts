/** A whole gateway in this process, on a free port, from the text of a config. */
import type { RouterModel } from '../../src/deciding/model/router-model.ts';
import {
  composeFleet,
  composeGateway,
  engineLoads,
  expertDeps,
  loadRouterModel,
  ownLoads,
  permittedPages,
} from '../../src/serving/app/compose.ts';
import { parseConfig } from '../../src/serving/config/load.ts';
import { Readiness } from '../../src/serving/front/readiness.ts';
import type { RouteContext } from '../../src/serving/front/routes.ts';
import { gatewayServer } from '../../src/serving/front/server.ts';
import { Telemetry } from '../../src/serving/telemetry/metrics.ts';

export interface RunningGateway {
  readonly url: string;
  readonly logged: string[];
  /** Begins to ask its experts for health and load, as the program does. */
  watch(): void;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  /** The value of a metric's line, such as `expert_router_inflight{expert="code"}`; undefined when absent. */
  metric(line: string): Promise<number | undefined>;
  close(): Promise<void>;
}

/** @param change what to put in place of the config's router model */
export async function gateway(
  yaml: string,
  change: (model: RouterModel) => RouterModel = (model) => model,
): Promise<RunningGateway> {
  const config = parseConfig(yaml, 'test.yaml', process.env);
  const logged: string[] = [];
  const log = (line: string): void => void logged.push(line);
  const fleet = await composeFleet(config, expertDeps(log));
  const telemetry = new Telemetry({ processMetrics: false });
  const handler = await composeGateway(config, change(await loadRouterModel(config)), fleet, telemetry);
  telemetry.watchLoads(() => ownLoads(fleet));
  telemetry.watchEngines(() => engineLoads(fleet));
  const context: RouteContext = {
    gateway: handler,
    metrics: async () => ({
      contentType: telemetry.registry.contentType,
      page: await telemetry.registry.metrics(),
    }),
    readiness: new Readiness(fleet),
    maxBodyMb: config.max_body_mb,
    startedAt: 0,
    onRouted: () => {},
  };
  const server = gatewayServer({
    log,
    current: () => ({ keys: config.keys, permitted: permittedPages(config), context }),
  });
  const url = await server.listen('127.0.0.1', 0);
  return {
    url,
    logged,
    watch: () => fleet.watch(),
    post: (path, body, headers) =>
      fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body:
          typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
      }),
    metric: async (line) => {
      const found = (await telemetry.registry.metrics())
        .split('\n')
        .find((one) => one.startsWith(`${line} `));
      return found === undefined ? undefined : Number(found.slice(line.length));
    },
    close: () => server.close(0),
  };
}

/** Waits until a condition holds, or fails after a patient while saying what was awaited. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
