/** What all verbs have in common: help, refusals, exit codes, streams, closed pipes, and what a call imports. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { freePort } from '../bench/kit/candidates.ts';
import { VERBS } from '../src/cli/verbs.ts';
import { version } from '../src/core/shipped.ts';
import { FORMAT_VERSION } from '../src/deciding/model/artefact.ts';
import { command } from './support/command.ts';

const ROOT = join(import.meta.dirname, '..');
const BIN = join(ROOT, 'bin', 'expert-router.js');
const MODEL = join(ROOT, 'models', 'default.router.safetensors');
const NAMES = VERBS.map(({ name }) => name);
const folder = mkdtempSync(join(tmpdir(), 'command-line-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ENVIRONMENT = { ...process.env, EXPERT_ROUTER_DISCOVER: 'none' };

function run(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], {
    cwd: folder,
    env: ENVIRONMENT,
    encoding: 'utf8',
    input: '',
  });
  return { status, stdout, stderr };
}

/** Its reader is gone before it writes. */
async function runUnheard(...args: readonly string[]) {
  const child = spawn(process.execPath, [BIN, ...args], {
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const status = await new Promise((resolve) => child.on('close', resolve));
  return { status, stderr };
}

describe('every verb', () => {
  it.each(NAMES)('%s --help shows its summary and examples', (name) => {
    const { status, stdout, stderr } = run(name, '--help');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.replace(/\s+/g, ' ')).toContain(VERBS.find((verb) => verb.name === name)!.summary);
    expect(stdout).toMatch(new RegExp(`^Examples:\n {2}\\$ .*expert-router ${name}\\b`, 'm'));
  });

  it.each(NAMES)('%s refuses an unknown option, with the nearest one', (name) => {
    const { status, stdout, stderr } = run(name, '--hlep');
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain("unknown option '--hlep'\n(Did you mean --help?)");
  });

  it.each(NAMES)('%s ends quietly when its output is closed', async (name) => {
    expect(await runUnheard(name, '--help')).toEqual({ status: 0, stderr: '' });
  });

  it('is listed in the help, which says what the exit codes mean', () => {
    const { status, stdout } = run('--help');
    expect(status).toBe(0);
    for (const name of NAMES) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    expect(stdout).toContain('Exit codes: 0 done; 1 failed');
  });

  it('gives --config and --json the same meaning', async () => {
    const loaded = await Promise.all(VERBS.map((verb) => verb.load()));
    const options = loaded.flatMap((verb) => [verb, ...verb.commands]).flatMap((verb) => [...verb.options]);
    const flags = (long: string) =>
      new Set(options.filter((one) => one.long === long).map((one) => one.flags));
    expect(flags('--config')).toEqual(new Set(['-c, --config <file>']));
    expect(flags('--json')).toEqual(new Set(['--json']));
    for (const verb of loaded)
      for (const { long, description } of verb.options)
        if (long === '--json')
          expect(description).toMatch(/^(machine-readable output|print the JSON instead)/);
  });
});

describe('the program', () => {
  it('refuses an unknown verb with the nearest one', () => {
    expect(run('serv')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('Did you mean serve?'),
    });
  });

  it('imports for its help no more than names and summaries', () => {
    const seen = new Set<string>();
    const walk = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      const imports = readFileSync(file, 'utf8').matchAll(/^import (?!type)[^;]*?'(\.[^']+)'/gm);
      for (const [, specifier] of imports) walk(join(dirname(file), specifier!));
    };
    walk(join(ROOT, 'src', 'cli', 'main.ts'));
    expect([...seen].map((file) => relative(join(ROOT, 'src'), file)).toSorted()).toEqual([
      'cli/main.ts',
      'cli/usage-error.ts',
      'cli/verbs.ts',
      'core/errors.ts',
      'core/printable.ts',
      'core/shipped.ts',
    ]);
  });

  it.each(['--version', '-v'])('says by %s what it is built of', (flag) => {
    const { status, stdout } = run(flag);
    expect(status).toBe(0);
    const facts = Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(/ {2,}|(?<=^expert-router) /)),
    );
    const id = JSON.parse(run('inspect', MODEL, '--json').stdout).id;
    expect(facts).toMatchObject({
      'expert-router': version(),
      commit: expect.stringMatching(/^([0-9a-f]{12}(-dirty)?|unknown)$/),
      node: process.versions.node,
      platform: `${process.platform} ${process.arch}`,
      'router model': `${id} (format ${FORMAT_VERSION}, 64 clusters)`,
    });
  });

  it('prints only data on standard output', () => {
    const config = join(ROOT, 'presets', 'embedded.yaml');
    const calls = [
      ['plan', '--model', 'llama-2-13b', '--json'],
      ['assign', '--json'],
      ['check', '--config', config, '--json'],
      ['route', 'hello', '--json'],
      ['inspect', MODEL, '--json'],
      ['key', 'alice', '--json'],
      ['pull', '--list', '--json'],
      ['check', '--schema'],
    ];
    for (const args of calls) {
      const { status, stdout, stderr } = run(...args);
      expect([args[0], status, stderr]).toEqual([args[0], 0, '']);
      expect(() => JSON.parse(stdout), args.join(' ')).not.toThrow();
    }
  });

  it('uses no colours outside a terminal', () => {
    writeFileSync(join(folder, 'e.yaml'), 'experts: [{ id: a, kind: emulated }]\n');
    const { status, stdout, stderr } = run('doctor', '--config', 'e.yaml', '--no-ask');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).not.toContain('\u001b');
  });

  it.each([
    ['plan', '--model', 'llama-2-13b', '--users', 'many'],
    ['engine'],
    ['emulate', '--gpu', 'h100'],
    ['loadtest'],
    ['check', 'a.yaml', '--config', 'b.yaml'],
    ['serve', '--config', 'a.yaml', '--weights', 'b.gguf'],
    ['simulate', 'scenario.yaml', '--compare', 'everything'],
    ['completion', 'csh'],
    ['key', 'alice', 'bob'],
  ])('ends with 2 after wrong usage: %s %s %s', (...args) => {
    const { status, stdout, stderr } = run(...args.filter(Boolean));
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });

  it.each([
    ['check', '--config', 'absent.yaml'],
    ['inspect', 'absent.safetensors'],
    ['simulate', 'absent.yaml'],
    ['serve', '--weights', './absent.gguf', '--port', '0'],
    ['chat', '--url', 'http://127.0.0.1:9'],
  ])('ends with 1 and a reason when it fails: %s %s %s', (...args) => {
    const { status, stdout, stderr } = run(...args);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr.trim()).not.toBe('');
    expect(stderr).not.toMatch(/^ {4}at /m);
  });

  it.each([['plan', '--model', 'llama-2-13b'], ['inspect', MODEL], ['assign'], ['completion', 'bash']])(
    '%s ends quietly when its reader has left',
    async (...args) => {
      expect(await runUnheard(...args)).toEqual({ status: 0, stderr: '' });
    },
  );

  it('keeps serving after the reader of its output has closed the pipe', async () => {
    const config = join(folder, 'one.yaml');
    writeFileSync(config, 'listen: 127.0.0.1:0\nexperts: [{ id: a, kind: emulated }]\n');
    const script = `"$0" "$1" serve --config "$2" --workers 1 | head -3 >&2; sleep 5`;
    const child = spawn('bash', ['-c', script, process.execPath, BIN, config], {
      env: ENVIRONMENT,
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    try {
      const url = await new Promise<string>((resolve) => {
        let text = '';
        child.stderr!.on('data', (more) => {
          text += more;
          const found = /on (http:\S+)/.exec(text);
          if (found) resolve(found[1]!);
        });
      });
      expect((await fetch(`${url}/health`)).status).toBe(200);
    } finally {
      process.kill(-child.pid!);
    }
  });
});

describe.skipIf(!existsSync('/dev/full'))('on a full disk', () => {
  it('a verb fails and says why', () => {
    const script = '"$0" "$1" completion bash > /dev/full';
    const { status, stderr } = spawnSync('bash', ['-c', script, process.execPath, BIN], {
      env: ENVIRONMENT,
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([1, expect.stringContaining('could not be written: ENOSPC')]);
  });

  it.each([1, 2])('a server with %i workers goes on, whatever becomes of its log', async (workers) => {
    const config = join(folder, 'full.yaml');
    const port = await freePort();
    writeFileSync(config, `listen: 127.0.0.1:${port}\nexperts: [{ id: a, kind: emulated }]\n`);
    const script = `exec "$0" "$1" serve --config "$2" --workers ${workers} --verbose > /dev/full 2>&1`;
    const child = spawn('bash', ['-c', script, process.execPath, BIN, config], {
      env: ENVIRONMENT,
      stdio: 'ignore',
    });
    try {
      const ask = () =>
        fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
          method: 'POST',
          body: JSON.stringify({ max_tokens: 2, messages: [{ role: 'user', content: 'hi' }] }),
        }).then(
          ({ status }) => status,
          () => 0,
        );
      await expect.poll(ask, { timeout: 30_000 }).toBe(200);
      expect(await ask()).toBe(200);
      expect(child.exitCode).toBeNull();
    } finally {
      child.kill();
    }
  });
});

describe('completion', () => {
  const script = run('completion', 'bash').stdout;
  const complete = (...words: readonly string[]): readonly string[] => {
    const ask = `${script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _expert_router; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return spawnSync('bash', ['-c', ask, 'bash', 'expert-router', ...words], { encoding: 'utf8' })
      .stdout.trim()
      .split('\n');
  };

  it('knows every verb and every option', async () => {
    expect(complete('')).toEqual([...NAMES, 'help', '--help', '--version']);
    for (const verb of VERBS) {
      const { options } = await verb.load();
      expect(complete(verb.name, '--')).toEqual(
        expect.arrayContaining(options.filter(({ hidden }) => !hidden).map(({ long }) => long)),
      );
    }
  });

  it('goes on from what has been typed', () => {
    expect(complete('ser')).toEqual(['serve']);
    expect(complete('serve', '--wor')).toEqual(['--workers']);
    expect(complete('simulate', '--compare', '')).toEqual(['policies', 'placements']);
    expect(complete('triton', 'un')).toEqual(['unload']);
    expect(complete('completion', '')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']));
  });

  it.each(['bash', 'zsh', 'fish'])('is a sound script for %s', (shell) => {
    const { stdout } = run('completion', shell);
    for (const name of NAMES) expect(stdout).toContain(name);
    const file = join(folder, `completion.${shell}`);
    writeFileSync(file, stdout);
    const checked = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
    if (checked.error) console.warn(`${shell} is not installed here, so its syntax check was left out.`);
    else expect([checked.status, checked.stderr]).toEqual([0, '']);
  });
});

it('emulate --json tells a script the addresses, when they answer', async () => {
  const fleet = command('emulate', '--port', '0', '--experts', '2', '--json');
  try {
    const [line] = await fleet.said(/^\{.*\}$/m);
    const { experts } = JSON.parse(line) as { experts: { id: string; url: string }[] };
    expect(experts).toHaveLength(2);
    for (const { id, url } of experts)
      expect(await (await fetch(`${url}/models`)).json()).toMatchObject({ data: [{ id }] });
  } finally {
    fleet.process.kill();
    await fleet.ended;
  }
});

describe('emulate --config-out', () => {
  it('writes a config with which a router serves what is emulated', async () => {
    const config = join(folder, 'experts.yaml');
    const fleet = command('emulate', '--port', '0', '--ttft', '1ms', '--tpot', '1ms', '--config-out', config);
    await fleet.said(/Wrote .*experts\.yaml/);
    expect(existsSync(config)).toBe(true);
    const router = command('serve', '--config', config, '--port', '0', '--workers', '1');
    try {
      const [, url] = await router.said(/experts? on (http:\S+)/);
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          model: 'auto',
          messages: [{ role: 'user', content: 'Write a Python function that adds two numbers.' }],
        }),
      });
      expect(response.headers.get('x-expert-router-expert')).toBe('code');
      expect(await response.text()).toContain('emulated answer by expert code');
    } finally {
      router.process.kill();
      fleet.process.kill();
      await Promise.all([router.ended, fleet.ended]);
    }
  });
});
