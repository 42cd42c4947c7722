/** Reports in the dashboard: those of the folder, nothing beside it, and nothing that could act. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hashKey } from '../src/serving/front/auth.ts';
import { gateway, type RunningGateway } from './support/gateway.ts';

const folder = mkdtempSync(join(tmpdir(), 'reports-'));
const dir = join(folder, 'shown');
const CONFIG = `reports: ${dir}\nexperts: [{ id: one, kind: emulated }]\n`;
let running: RunningGateway;

beforeAll(() => {
  mkdirSync(join(dir, 'deeper.html'), { recursive: true });
  writeFileSync(join(folder, 'secret.html'), 'secret');
  writeFileSync(join(dir, 'load test, 負荷 1.html'), '<h1>Load</h1><script>alert(1)</script>');
  writeFileSync(join(dir, 'figures.json'), '{}');
  writeFileSync(join(dir, '.hidden.html'), 'secret');
  symlinkSync(join(folder, 'secret.html'), join(dir, 'link.html'));
});
afterEach(() => running?.close());
afterAll(() => rmSync(folder, { recursive: true }));

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${running.url}/ui/api/${path}`, { headers });

describe('reports', () => {
  it('are listed and sent with a policy under which nothing runs', async () => {
    running = await gateway(CONFIG);
    const { data } = (await (await get('reports')).json()) as { data: { name: string }[] };
    expect(data.map(({ name }) => name)).toEqual(['load test, 負荷 1.html']);
    const report = await get(`report/${encodeURIComponent(data[0]!.name)}`);
    expect(await report.text()).toContain('<h1>Load</h1>');
    const policy = report.headers.get('content-security-policy')!;
    expect(policy).toMatch(/^sandbox; default-src 'none'/);
    expect(policy).not.toMatch(/allow-|script-src|https?:/);
    expect(report.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it.each([
    '../secret.html',
    '..%2fsecret.html',
    '%2e%2e/secret.html',
    '..\\secret.html',
    'link.html',
    'deeper.html',
    '.hidden.html',
    'figures.json',
    'none.html',
    'a%00.html',
    '%',
    '',
  ])('are not %s', async (name) => {
    running = await gateway(CONFIG);
    const response = await get(`report/${name}`);
    expect([404]).toContain(response.status);
    expect(await response.text()).not.toContain('secret\n');
  });

  it('are none without a folder, and for those who may observe', async () => {
    running = await gateway('experts: [{ id: one, kind: emulated }]');
    expect(await (await get('reports')).json()).toEqual({ dir: false, data: [] });
    expect((await get('report/package.html')).status).toBe(404);
    await running.close();
    running = await gateway(`keys: [{ name: asker, hash: '${hashKey('ask-me')}', roles: [ask] }]\n${CONFIG}`);
    for (const path of ['reports', 'report/link.html']) {
      expect((await get(path)).status).toBe(401);
      expect((await get(path, { authorization: 'Bearer ask-me' })).status).toBe(403);
    }
  });
});
