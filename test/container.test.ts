/** The Dockerfile and the compose file, checked as far as that goes without Docker. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { parseConfig } from '../src/serving/config/load.ts';
import { newKey } from '../src/serving/front/auth.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

interface Instruction {
  readonly name: string;
  readonly words: readonly string[];
}

/** Instructions by stage; those before the first FROM aside. */
function stagesOf(dockerfile: string): readonly (readonly Instruction[])[] {
  const stages: Instruction[][] = [];
  for (const line of dockerfile.replaceAll('\\\n', ' ').split('\n')) {
    const [name, ...words] = line.trim().split(/\s+/);
    if (!name || name.startsWith('#')) continue;
    if (name === 'FROM') stages.push([]);
    stages.at(-1)?.push({ name, words });
  }
  return stages;
}

describe('the Dockerfile', () => {
  const stages = stagesOf(read('Dockerfile'));
  const last = stages.at(-1)!;
  const named = (name: string): readonly Instruction[] => last.filter((one) => one.name === name);
  const all = stages.flat();

  it('has stages, of which the last neither builds nor holds sources', () => {
    expect(stages.length).toBeGreaterThan(1);
    expect(named('RUN').map(({ words }) => words.join(' '))).not.toContainEqual(
      expect.stringMatching(/npm|tsc/),
    );
    expect(named('COPY').flatMap(({ words }) => words)).not.toContain('src');
  });

  it('pins its base image to a release of Node that the package supports', () => {
    const [, version] = /^ARG NODE_VERSION=(\d+)/m.exec(read('Dockerfile'))!;
    const needed = /(\d+)/.exec(JSON.parse(read('package.json')).engines.node)![1];
    expect(Number(version)).toBeGreaterThanOrEqual(Number(needed));
    for (const [from] of stages) expect(from!.words[0]).toBe('node:${NODE_VERSION}-bookworm-slim');
  });

  it('copies what is there, and only from earlier stages', () => {
    const seen: string[] = [];
    for (const stage of stages) {
      for (const { name, words } of stage.filter((one) => one.name === 'COPY')) {
        expect(name).toBe('COPY');
        const from = /^--from=(.+)/.exec(words[0]!)?.[1];
        if (from) expect(seen).toContain(from);
        else for (const path of words.slice(0, -1)) expect(existsSync(join(ROOT, path)), path).toBe(true);
      }
      seen.push(stage[0]!.words[2] ?? '');
    }
    expect(all.map(({ name }) => name)).not.toContain('ADD');
  });

  it('lets into its context what it copies', () => {
    const admitted = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = all
      .filter(({ name, words }) => name === 'COPY' && !words[0]!.startsWith('--from'))
      .flatMap(({ words }) => words.slice(0, -1));
    expect([...new Set(copied)].toSorted()).toEqual(admitted.toSorted());
  });

  it('ships every part of the package', () => {
    const { files } = JSON.parse(read('package.json')) as { files: readonly string[] };
    const copied = named('COPY').flatMap(({ words }) => words);
    for (const part of files.filter((name) => !name.startsWith('!')))
      expect(copied.join(' ')).toMatch(new RegExp(`(^|[ /])${part}( |$)`));
  });

  it('runs without rights, tells of its health, and gets signals itself', () => {
    const [user] = named('USER');
    expect(user!.words.join(' ')).toMatch(/^[1-9]\d*(?::[1-9]\d*)?$/); // runAsNonRoot believes no name
    expect(last.findIndex(({ name }) => name === 'USER')).toBeGreaterThan(
      last.findLastIndex(({ name }) => name === 'RUN'),
    );
    expect(named('HEALTHCHECK')).toHaveLength(1);
    for (const name of ['ENTRYPOINT', 'CMD'])
      expect(() => JSON.parse(named(name)[0]!.words.join(' ')), name).not.toThrow();
  });
});

const duration = z.string().regex(/^\d+(ms|s|m)$/);
const service = z.strictObject({
  image: z.literal('expert-router:local'),
  build: z.literal('..').optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  ports: z.array(z.string().startsWith('127.0.0.1:')).optional(),
  volumes: z
    .array(
      z.discriminatedUnion('type', [
        z.strictObject({
          type: z.literal('bind'),
          source: z.string(),
          target: z.string(),
          read_only: z.literal(true),
        }),
        z.strictObject({ type: z.literal('volume'), source: z.string(), target: z.string() }),
      ]),
    )
    .optional(),
  healthcheck: z
    .strictObject({
      test: z.tuple([z.literal('CMD')], z.string()),
      interval: duration,
      timeout: duration,
      retries: z.int(),
    })
    .optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.literal('service_healthy') })).optional(),
  read_only: z.literal(true),
  cap_drop: z.tuple([z.literal('ALL')]),
  security_opt: z.tuple([z.literal('no-new-privileges:true')]),
  tmpfs: z.tuple([z.literal('/tmp')]),
  init: z.literal(true),
  restart: z.literal('unless-stopped'),
  pids_limit: z.int().positive(),
  ulimits: z.strictObject({ nofile: z.int().positive() }),
  stop_grace_period: duration.optional(),
});
const composeFile = z.object({
  name: z.string(),
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.null()),
});

describe('deploy/compose.yaml', () => {
  const { services, volumes } = composeFile.parse(parse(read('deploy/compose.yaml'), { merge: true }));
  const { key, hash } = newKey();
  const config = parseConfig(read('deploy/experts.yaml'), 'experts.yaml', { EXPERT_ROUTER_KEY_HASH: hash });

  it('serves a sound config, reachable from outside its container, with a key', () => {
    expect(config.listen).toBe('0.0.0.0:8080');
    expect(config.keys.map((one) => one.hash)).toEqual([hash]);
    expect(key).not.toBe(hash);
    expect(() =>
      parseConfig(read('deploy/experts.yaml'), 'experts.yaml', { EXPERT_ROUTER_KEY_HASH: '' }),
    ).toThrow('`expert-router key` makes one');
  });

  it('has a service for every expert, which the router waits for', () => {
    const { router, ...experts } = services;
    expect(Object.keys(router!.depends_on!)).toEqual(Object.keys(experts));
    expect(config.experts.map(({ url }) => url)).toEqual(
      Object.keys(experts).map((name) => `http://${name}:8000`),
    );
    for (const { command } of Object.values(experts))
      expect(command!.join(' ')).toMatch(/^emulate .*--port 8000$/);
  });

  it('mounts what is there', () => {
    for (const mount of services.router!.volumes!) {
      if (mount.type === 'bind') expect(existsSync(join(ROOT, 'deploy', mount.source))).toBe(true);
      else expect(volumes).toHaveProperty(mount.source);
    }
  });
});
