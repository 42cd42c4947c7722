/** The collector's configuration that we give, in OpenTelemetry's own collector, with spans of a gateway that runs. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createGateway } from '../../src/index.ts';
import { eventually } from '../support/gateway.ts';
import { polite, upstream } from '../support/upstream.ts';
import { describeWith } from './component.ts';
import { freePort } from './engine-process.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

describeWith(['otel-collector'], "OpenTelemetry's collector", (folder) => {
  it('takes the spans of a request by the configuration that ships, without a complaint', async () => {
    const port = await freePort();
    const file = join(mkdtempSync(join(tmpdir(), 'otel-')), 'collector.yaml');
    writeFileSync(file, readFileSync('deploy/otel-collector.yaml', 'utf8').replaceAll('4318', String(port)));
    const collector = spawn(join(folder!, 'bin', 'otelcol'), [`--config=${file}`]);
    let output = '';
    for (const stream of [collector.stdout, collector.stderr]) stream.on('data', (text) => (output += text));
    const ended = new Promise((resolve) => collector.on('close', resolve));
    const expert = await upstream(polite);
    const gateway = await createGateway(`experts: [{ id: code, kind: openai, url: '${expert.url}' }]`, {
      probes: false,
      log: (line) => (output += `gateway: ${line}\n`),
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_BSP_SCHEDULE_DELAY: '20' },
    });
    try {
      await eventually('it listens', () => output.includes('Everything is ready'));
      const url = await gateway.listen({ host: '127.0.0.1', port: 0 });
      const answer = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` },
        body: JSON.stringify({ messages: [{ role: 'user', content: 'secretword' }] }),
      });
      await answer.text();
      await eventually('all three spans are printed', () => output.split(/Span #\d/).length > 3);
      const spans = output.split(/Span #\d/).slice(1);
      expect(spans.map((span) => /Name +: (.*)/.exec(span)![1]).sort()).toEqual([
        'POST /v1/chat/completions',
        'chat code',
        'decide',
      ]);
      for (const span of spans) expect(span).toMatch(new RegExp(`Trace ID +: ${TRACE}`));
      expect(output).toMatch(/service.name: Str\(expert-router\)/);
      expect(output).toMatch(/gen_ai.operation.name: Str\(chat\)/);
      expect(output).toMatch(/expert_router.cluster: Int\(\d+\)/);
      expect(output).toMatch(/Name: first_token/);
      expect(output).not.toMatch(/secretword|\terror\t|\twarn\t|gateway: /);
    } finally {
      await gateway.close({ graceMs: 0 });
      await expert.close();
      collector.kill();
      await ended;
    }
  });
});
