/** A whole gateway in this process, on a free port, from the text of a config. */
import { createGateway, type GatewayOptions } from '../../src/index.ts';

export interface RunningGateway {
  readonly url: string;
  readonly logged: string[];
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  /** The value of a metric's line, such as `expert_router_inflight{expert="code"}`; undefined when absent. */
  metric(line: string): Promise<number | undefined>;
  reload(yaml: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Experts get no probes unless `probes` is set. */
export async function gateway(yaml: string, options: GatewayOptions = {}): Promise<RunningGateway> {
  const logged: string[] = [];
  const log = (line: string): void => void logged.push(line);
  const running = await createGateway(yaml, { probes: false, log, ...options });
  const url = await running.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    logged,
    post: (path, body, headers) =>
      fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body:
          typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
      }),
    metric: async (line) => {
      const found = (await running.metrics()).split('\n').find((one) => one.startsWith(`${line} `));
      return found === undefined ? undefined : Number(found.slice(line.length));
    },
    reload: (next) => running.reload(next),
    close: () => running.close({ graceMs: 0 }),
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
