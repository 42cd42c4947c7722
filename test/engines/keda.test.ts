/** The external scaler, asked through the client package that KEDA itself uses, of the release that is pinned. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createGateway } from '../../src/index.ts';
import { polite, upstream } from '../support/upstream.ts';
import { describeWith } from './component.ts';

describeWith(['keda'], "KEDA's client", (folder) => {
  /** Its lines, parsed. */
  async function asked(...args: readonly string[]): Promise<readonly object[]> {
    const child = spawn(join(folder!, 'bin', 'keda'), args);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    expect(code, output).toBe(0);
    return output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
  }

  it('reads targets, values and activity, pushed and pulled, and what is wrong', async () => {
    const expert = await upstream(polite);
    const gateway = await createGateway(`experts: [{ id: code, kind: openai, url: '${expert.url}' }]`, {
      probes: false,
    });
    const address = await gateway.listenScaler({ port: 0 });
    const url = await gateway.listen({ host: '127.0.0.1', port: 0 });
    try {
      const before = await asked(address, 'code', 'arrivals');
      expect(before[0]).toEqual({ metric: 'arrivals', target: 2.5, value: 0, active: false, pushed: false });
      expect(JSON.stringify(before[1])).toMatch(/InvalidArgument.*Known: code/);
      await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ messages: [{ role: 'user', content: 'hello' }] }),
      });
      expect((await asked(address, 'code', 'arrivals'))[0]).toMatchObject({
        value: expect.any(Number),
        active: true,
        pushed: true,
      });
      expect((await asked(address, 'code', 'work'))[0]).toMatchObject({ metric: 'work', value: 0 });
    } finally {
      await gateway.close({ graceMs: 0 });
      await expert.close();
    }
  });
});
