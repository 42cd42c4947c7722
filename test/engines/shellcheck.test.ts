/** ShellCheck's verdict on the scripts that `expert-router engine` writes, and on their templates. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { command } from '../support/command.ts';
import { describeWith } from './component.ts';

describeWith(['shellcheck'], 'the scripts of expert-router engine', (component) => {
  it.each([
    ['trtllm-serve', []],
    ['triton', []],
    ['legacy', []],
    ['trtllm-serve', ['--precision', 'bf16']],
  ])('%s %j: ShellCheck finds nothing', async (serve, more) => {
    const out = join(mkdtempSync(join(tmpdir(), 'engine-')), 'out');
    const engine = ['engine', '--model', 'meta-llama/Llama-2-13b-chat-hf', '--serve', serve, '--out', out];
    expect(await command(...engine, ...more).ended).toBe(0);
    const scripts = ['prepare.sh', ...readdirSync(join(out, 'container')).map((name) => `container/${name}`)];
    expect(findings(component!, out, scripts)).toEqual([0, '']);
  });

  it('finds nothing in the templates either', () => {
    const templates = join(import.meta.dirname, '..', '..', 'src', 'deploying', 'templates');
    expect(findings(component!, templates, readdirSync(templates))).toEqual([0, '']);
  });
});

function findings(component: string, cwd: string, scripts: readonly string[]): [number | null, string] {
  const checked = spawnSync(join(component, 'bin', 'shellcheck'), scripts, { cwd, encoding: 'utf8' });
  return [checked.status, checked.stdout];
}
