/** The page about TensorRT-LLM: its `sh` blocks as written, and its rehearsal with emulated experts on free ports. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { DEFAULT_IMAGES } from '../src/deploying/plan.ts';
import { MODEL_OPTIMIZER } from '../src/deploying/scripts.ts';
import { configJsonSchema } from '../src/serving/config/schema.ts';
import { command } from './support/command.ts';
import { routerProcess } from './support/process.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGE = readFileSync(join(ROOT, 'docs/tensorrt-llm.md'), 'utf8');
const blocks = (language: string): readonly string[] =>
  [...PAGE.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].flatMap((block) =>
    block[1]!.replaceAll('\\\n', ' ').trim().split('\n'),
  );

/** The page's ~: each run of the test starts without anything there. */
const HOME = mkdtempSync(join(tmpdir(), 'tensorrt-page-'));
afterAll(() => rmSync(HOME, { recursive: true, force: true }));

/** npm keeps its own cache: only the page's ~ is a fresh one. */
const env = { ...process.env, HOME, npm_config_cache: join(homedir(), '.npm') };
const sh = (line: string) => spawnSync('bash', ['-c', line], { cwd: ROOT, encoding: 'utf8', env });

describe('the page about TensorRT-LLM', () => {
  it.each(blocks('sh'))('%s', (line) => {
    const done = sh(line);
    expect({ status: done.status, stderr: done.stderr }).toMatchObject({ status: 0 });
    expect(done.stdout.length).toBeGreaterThan(0);
  });

  it('states the figures that its first command prints', () => {
    const { stdout } = sh(blocks('sh')[0]!);
    for (const figure of ['13.34 GB', '63.32 GB', '154,560', '127 ']) expect(stdout).toContain(figure);
    for (const figure of ['13.3 GB', '63.3 GB', '154,560', '127 requests']) expect(PAGE).toContain(figure);
  });

  it('names the files that are written, and the images and versions that they use', () => {
    for (const file of ['prepare.sh', 'container/quantise.sh', 'compose.yaml', 'router.yaml', 'plan.json']) {
      expect(PAGE).toContain(`\`${file}\``);
      expect(existsSync(join(HOME, 'experts', file))).toBe(true);
    }
    for (const { serve, quantise, tag } of Object.values(DEFAULT_IMAGES)) {
      expect(PAGE).toContain(serve);
      expect(PAGE).toContain(quantise);
      expect(PAGE).toContain(`TensorRT-LLM ${tag.slice(1)}`);
    }
    expect(PAGE).toContain(`Model-Optimizer is ${MODEL_OPTIMIZER}`);
  });

  it('has only commands that bash can parse and verbs that there are', () => {
    for (const line of blocks('bash')) expect(spawnSync('bash', ['-n', '-c', line]).status).toBe(0);
    const verbs = PAGE.match(/npx expert-router (\w+)/g)!.map((text) => text.split(' ')[2]!);
    const help = spawnSync(process.execPath, ['bin/expert-router.js', '--help'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    for (const verb of verbs) expect(help.stdout).toMatch(new RegExp(`^ {2}${verb} `, 'm'));
  });

  it('links only to files and headings that exist', () => {
    const files = [...PAGE.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((match) => match[1]!);
    expect(files.filter((file) => !existsSync(join(ROOT, 'docs', file)))).toEqual([]);
    const headings = [...PAGE.matchAll(/^#+ (.*)$/gm)].map((match) =>
      match[1]!
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .replaceAll(' ', '-'),
    );
    for (const [, anchor] of PAGE.matchAll(/\]\(#([^)]+)\)/g)) expect(headings).toContain(anchor);
  });
});

describe('the rehearsal', () => {
  it('routes to emulated experts by the written config', async () => {
    const emulate = blocks('bash').find((line) => line.includes('expert-router emulate'))!;
    const words = emulate.split(' ').slice(2);
    words[words.indexOf('--port') + 1] = '0';
    const experts = command(...words);
    try {
      await experts.said(/emulated experts are ready/);
      const urls = experts.output().match(/http:\/\/127\.0\.0\.1:\d+\/v1/g)!;
      const config = parse(readFileSync(join(HOME, 'experts/router.yaml'), 'utf8'));
      expect(config.experts).toHaveLength(urls.length);
      config.experts.forEach((expert: { url: string }, i: number) => {
        expert.url = urls[i]!;
      });
      const file = join(HOME, 'rehearsal.yaml');
      writeFileSync(file, stringify(config));
      const doctor = command('doctor', '--config', file);
      expect([await doctor.ended, doctor.output()]).toEqual([
        0,
        expect.stringContaining('All checks passed: 8 replicas'),
      ]);
      const router = await routerProcess(['--config', file]);
      try {
        const body = {
          model: 'auto',
          max_tokens: 5,
          messages: [{ role: 'user', content: 'Why is the sky blue?' }],
        };
        const reply = await fetch(`${router.url}/v1/chat/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        expect(reply.status).toBe(200);
        expect(reply.headers.get('x-expert-router-expert')).toMatch(/^expert-[1-8]$/);
        await reply.text();
      } finally {
        await router.stop();
      }
    } finally {
      experts.process.kill('SIGTERM');
      await experts.ended;
    }
  });
});

const hasTriton = JSON.stringify(configJsonSchema()).includes('"const":"triton"');
describe('the configs for Triton', () => {
  it.skipIf(!hasTriton).each(['experts-triton', 'experts-legacy'])('%s is sound', (folder) => {
    const done = sh(`npx expert-router check ~/${folder}/router.yaml`);
    expect([done.status, done.stdout]).toEqual([0, expect.stringContaining('8 experts')]);
  });
});
