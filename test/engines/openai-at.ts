/** Experts of kind `openai` at a real engine, and what the engine says of its load. */

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PrintedCheck } from '../../src/cli/doctor.ts';
import type { ReportedLoad } from '../../src/serving/engines/engine.ts';
import { engineNamed } from '../../src/serving/engines/index.ts';
import { loadFrom } from '../../src/serving/engines/load.ts';
import { parseMetrics } from '../../src/serving/engines/prometheus.ts';
import type { Expert } from '../../src/serving/experts/expert.ts';
import type { ExpertDeps } from '../../src/serving/experts/kind.ts';
import { openaiKind } from '../../src/serving/experts/openai/index.ts';
import { command } from '../support/command.ts';

const DEPS: ExpertDeps = {
  cacheFolder: '/nowhere',
  environment: {},
  newId: (prefix) => prefix,
  now: () => 0,
  log: () => {},
};

export async function openaiAt(url: string, options: object = {}): Promise<Expert> {
  const expert = await openaiKind.create('e', openaiKind.options.parse({ url, ...options }), DEPS);
  await expert.health(AbortSignal.timeout(10_000));
  return expert;
}

/** Read from its page of metrics with the table that the product uses. */
export async function loadAt(url: string, engine: string): Promise<ReportedLoad> {
  return loadFrom(parseMetrics(await (await fetch(`${url}/metrics`)).text()), engineNamed(engine));
}

/** What `expert-router doctor` finds at an address, by the name of the check. */
export async function doctorAt(url: string, more = ''): Promise<Readonly<Record<string, PrintedCheck>>> {
  const config = join(mkdtempSync(join(tmpdir(), 'doctor-')), 'experts.yaml');
  writeFileSync(config, `experts: [{ id: e, kind: openai, url: '${url}'${more} }]\n`);
  const doctor = command('doctor', '--config', config, '--json');
  let printed = '';
  doctor.process.stdout!.on('data', (text: Buffer) => {
    printed += text.toString();
  });
  await doctor.ended;
  const [{ checks }] = JSON.parse(printed) as [{ checks: readonly PrintedCheck[] }];
  return Object.fromEntries(checks.map((check) => [check.name, check]));
}
