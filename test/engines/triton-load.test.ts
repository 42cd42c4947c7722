/**
 * Two hundred users through the gateway at a real Triton server, while fifty others leave in mid-answer: nobody gets
 * an error, and the model sees each of the fifty go.
 */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LoadTestResult } from '../../src/load/loadtest/result.ts';
import { command } from '../support/command.ts';
import { eventually } from '../support/gateway.ts';
import { type RouterProcess, routerProcess } from '../support/process.ts';
import { describeWith } from './component.ts';
import { type RealTriton, realTriton } from './triton/server.ts';

const LEAVERS = 50;

describeWith(['triton'], 'two hundred users at a real Triton server', (component) => {
  const folder = mkdtempSync(join(tmpdir(), 'triton-load-'));
  let triton: RealTriton;
  let router: RouterProcess;

  beforeAll(async () => {
    // Some fifty tokens, five seconds an answer.
    const environment = { SCRIPTED_PAUSE_MS: '100' };
    triton = await realTriton(component!, { load: ['ensemble'], environment });
    const config = join(folder, 'experts.yaml');
    const options = 'kind: triton, model: ensemble, chat_template: plain';
    writeFileSync(
      config,
      `experts: [{ id: grpc, url: '${triton.grpc}', ${options} }, { id: http, url: '${triton.http}', ${options} }]`,
    );
    router = await routerProcess(['--config', config]);
  });
  afterAll(async () => {
    await router?.stop();
    await triton?.stop();
  });

  /** Asks, reads the beginning of the answer, and closes the connection. */
  const leave = async (model: string): Promise<void> => {
    const abort = new AbortController();
    const body = { model, stream: true, messages: [{ role: 'user', content: 'Count.' }] };
    const response = await fetch(`${router.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: abort.signal,
    });
    expect(response.status).toBe(200);
    await response.body!.getReader().read();
    abort.abort();
  };

  it.each(['grpc', 'http'])('by %s', { timeout: 180_000 }, async (model) => {
    const before = triton.cancelled();
    const json = join(folder, `${model}.json`);
    const options = [
      '--users',
      '200',
      '--duration',
      '12',
      '--lengths',
      '50:100',
      '--model',
      model,
      '--out',
      json,
    ];
    const load = command('loadtest', router.url, ...options);
    await eventually('all users are there', () => triton.running() >= 150).catch((error) => {
      throw new Error(`${triton.running()} run; ${load.output()}`, { cause: error });
    });
    await Promise.all(Array.from({ length: LEAVERS }, () => leave(model)));
    await eventually('the model sees them go', () => triton.cancelled() === before + LEAVERS);
    expect(await load.ended).toBe(0);
    const [stage] = (JSON.parse(readFileSync(json, 'utf8')) as LoadTestResult).stages;
    expect(stage).toMatchObject({ users: 200, errors: 0, interrupted: 0 });
    expect(stage!.succeeded).toBeGreaterThanOrEqual(200);
    await eventually('the server is idle', () => triton.running() === 0);
    expect(triton.cancelled()).toBe(before + LEAVERS);
    console.log(load.output()); // the figures of docs/benchmarks.md
  });
});
