/** `expert-router train` and `inspect` as a person runs them: real processes, real files, real signals. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../src/core/random.ts';

const BIN = join(import.meta.dirname, '..', 'bin', 'expert-router.js');
const WORDS = ['bread oven dough soup salt', 'python bug loop error test', '東京 京都 天気 神社 電車'];

let folder: string;
let prompts: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'train-'));
  prompts = join(folder, 'prompts.jsonl');
  const random = seededRandom(1);
  const lines = Array.from({ length: 1_500 }, (_, index) => {
    const words = WORDS[index % 3]!.split(' ');
    return JSON.stringify({ prompt: Array.from({ length: 6 }, () => words[random.below(5)]).join(' ') });
  });
  writeFileSync(prompts, [...lines, 'not json'].join('\n'));
});

afterAll(() => rmSync(folder, { recursive: true }));

interface Done {
  readonly code: number | null;
  readonly output: string;
}

function run(args: readonly string[], options: { input?: string; interrupt?: RegExp } = {}): Promise<Done> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [BIN, ...args], { env: { ...process.env, TMPDIR: folder } });
    let output = '';
    let interrupted = false;
    const hear = (data: Buffer): void => {
      output += data;
      if (interrupted || !options.interrupt?.test(output)) return;
      interrupted = true;
      child.kill('SIGINT');
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('close', (code) => resolve({ code, output }));
    child.stdin.end(options.input ?? '');
  });
}

describe('train', () => {
  it('makes the same file on one thread and on two, with a report beside it', async () => {
    const files = [1, 2].map((threads) => join(folder, `threads-${threads}.safetensors`));
    for (const [index, file] of files.entries()) {
      const done = await run(['train', prompts, '-k', '3', '--out', file, '--threads', String(index + 1)]);
      expect(done.code, done.output).toBe(0);
      expect(done.output).toContain('1 broken');
    }
    expect(readFileSync(files[0]!).equals(readFileSync(files[1]!))).toBe(true);
    expect(readFileSync(join(folder, 'threads-1.report.html'), 'utf8')).toContain('What the router learned');
    expect(JSON.parse(readFileSync(join(folder, 'threads-1.report.json'), 'utf8')).clusters).toHaveLength(3);
    const shown = await run(['inspect', files[0]!]);
    expect(shown.output).toContain('3 clusters');
  });

  it('reads standard input', async () => {
    const out = join(folder, 'stdin.safetensors');
    const done = await run(['train', '-', '-k', '3', '--out', out, '--no-report'], {
      input: readFileSync(prompts, 'utf8'),
    });
    expect(done.code, done.output).toBe(0);
    expect(existsSync(join(folder, 'stdin.report.html'))).toBe(false);
  });

  it('when interrupted, keeps the old file and leaves no temporary files', async () => {
    const out = join(folder, 'kept.safetensors');
    writeFileSync(out, 'the old model');
    const before = readdirSync(folder).length;
    const done = await run(['train', prompts, '--out', out, '--restarts', '500'], { interrupt: /counting/ });
    expect(done.code).toBe(130);
    expect(readFileSync(out, 'utf8')).toBe('the old model');
    expect(readdirSync(folder).length).toBe(before);
  });

  it('reports the error, exits with 1 and keeps the old file', async () => {
    const out = join(folder, 'kept.safetensors');
    writeFileSync(out, 'the old model');
    const empty = join(folder, 'empty.jsonl');
    writeFileSync(empty, '\n\n{"id":1}\n');
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [[join(folder, 'none.jsonl')], /No such file/],
      [[empty], /No prompt found .*--field/],
      [[prompts, '--continue', out], /Cannot continue from .*kept/],
      [
        [prompts, '--field', 'nothing'],
        /prompts\.jsonl: there is no field 'nothing'; the fields are: prompt/,
      ],
    ];
    for (const [args, message] of cases) {
      const done = await run(['train', ...args, '--out', out]);
      expect(done.output).toMatch(message);
      expect(done.output).not.toMatch(/\n\s+at /);
      expect(done.code).toBe(1);
    }
    expect(readFileSync(out, 'utf8')).toBe('the old model');
  });

  it('says so when the model cannot be written, as on a full disk', async () => {
    const done = await run([
      'train',
      prompts,
      '-k',
      '2',
      '--no-report',
      '--out',
      join(prompts, 'router.safetensors'),
    ]);
    expect(done.output).toMatch(/Cannot write .*router.safetensors/);
    expect(done.output).not.toMatch(/\n\s+at /);
    expect(done.code).toBe(1);
  });
});
