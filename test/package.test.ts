/**
 * The package as it is published: packed, unpacked into an empty folder and used by a TypeScript program, whose
 * dependencies are links to those installed here, so that no network is needed.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const MODULES = join(ROOT, 'node_modules');
const folder = mkdtempSync(join(tmpdir(), 'expert-router-package-'));
const installed = join(folder, 'node_modules', 'expert-router');
const TOOLS = ['npm', 'tar'].filter((tool) => spawnSync(tool, ['--version']).error !== undefined);

/** What TypeScript makes of each way to find modules. */
const RESOLUTIONS = {
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
} as const;

const PROGRAM = `
import { checkConfig, createGateway, UserError, type ConfigInput, type EmbeddedGateway } from 'expert-router';
import { defineExpert, lastText, RunningGenerations, z, type Expert } from 'expert-router/expert';
import { bindPolicy, definePolicy, z as schema, type Candidate } from 'expert-router/policy';
import { classify, createRouter, explain, loadRouterModel, type PromptDecision } from 'expert-router/router';
import { deployment, planFigures, simulateFleet, type FleetScenario } from 'expert-router/simulation';
import { purity, train, type Trained } from 'expert-router/training';

const shout = defineExpert({
  kind: 'shout',
  summary: 'answers in capitals',
  options: z.strictObject({ mark: z.string().default('!') }),
  create: async (id, { mark }, deps): Promise<Expert> => {
    const running = new RunningGenerations(id);
    const text: string = mark;
    return {
      id,
      kind: 'shout',
      speaks: [],
      generate: ({ ask }, sink) =>
        running.start(
          ask,
          sink,
          { id: deps.newId(ask.dialect.idPrefix), created: Math.floor(deps.now() / 1000), model: id },
          async ({ reply }) => {
            reply.text(lastText(ask).toUpperCase() + text);
            reply.finish('stop', 'unknown');
          },
        ),
      health: async () => ({ state: 'ready' }),
      close: () => running.close(),
    };
  },
});
const last = definePolicy({
  id: 'last',
  summary: 'the last expert of the config',
  options: schema.strictObject({ offset: schema.number().default(0) }),
  rank: ({ candidates }, { offset }): readonly Candidate[] => {
    const from: number = offset;
    return from === 0 ? candidates.toReversed() : candidates;
  },
});
const config: ConfigInput = {
  policy: { name: 'last' },
  experts: [
    { id: 'first', kind: 'emulated' },
    { id: 'second', kind: 'shout', mark: '?' },
  ],
};
// @ts-expect-error: a config needs experts
const wrong: ConfigInput = { listen: '127.0.0.1:1' };
await checkConfig(wrong).catch((error: unknown) => {
  if (!(error instanceof UserError)) throw error;
});

const gateway: EmbeddedGateway = await createGateway(config, { kinds: [shout], policies: [last] });
const url = await gateway.listen({ port: 0 });
const response = await fetch(url + '/v1/completions', { method: 'POST', body: JSON.stringify({ prompt: 'hello' }) });
const { choices } = (await response.json()) as { choices: { text: string }[] };
await gateway.close();

const model = await loadRouterModel();
const router = await createRouter({ model, experts: [{ id: 'one' }], policy: bindPolicy(last) });
const decision: PromptDecision = router.decide('hi');
const trained: Trained = await train(
  { prompts: ['a cat sat', 'a cat ran', 'a dog sat', 'a dog ran'] },
  { clusters: 2, dimensions: 2, restarts: 1, threads: 1 },
);
type Simulate = (scenario: FleetScenario) => ReturnType<typeof simulateFleet>;
const simulate: Simulate = simulateFleet;
const h100 = deployment({ model: 'llama-3.1-8b', gpu: 'h100', precision: 'fp8' });
console.log(
  JSON.stringify({
    said: choices[0]?.text,
    expert: decision.expert,
    cluster: classify(model, 'hi').cluster >= 0,
    words: explain(model, 'Write Python').for.length > 0,
    trained: purity(trained.labels, trained.labels),
    simulation: [typeof simulate, typeof planFigures, h100.gpu.name],
  }),
);
`;

beforeAll(() => {
  if (TOOLS.length > 0) return;
  run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], ROOT);
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  mkdirSync(installed, { recursive: true });
  run('tar', ['-xzf', join(folder, tarball!), '--strip-components=1', '-C', installed], folder);
  for (const name of neededBy('expert-router', installed)) {
    mkdirSync(join(folder, 'node_modules', name, '..'), { recursive: true });
    symlinkSync(join(MODULES, name), join(folder, 'node_modules', name));
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'main.ts'), PROGRAM);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** What an installation of the package brings with it, and its peers: nothing else is there for the program. */
function neededBy(name: string, at: string, seen = new Set<string>()): ReadonlySet<string> {
  const manifest = join(at, 'package.json');
  if (!existsSync(manifest)) return seen; // an optional one that was not installed
  const { dependencies = {}, peerDependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as Manifest;
  for (const needed of Object.keys({ ...dependencies, ...peerDependencies })) {
    if (seen.has(needed) || needed === name) continue;
    seen.add(needed);
    neededBy(needed, join(MODULES, needed), seen);
  }
  return seen;
}

function run(command: string, args: readonly string[], cwd: string): string {
  const done = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 60_000 });
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')}\n${done.stdout}${done.stderr}`);
  return done.stdout;
}

function compile(
  resolution: keyof typeof RESOLUTIONS,
  outDir: string,
  more: object,
  include: readonly string[],
): void {
  const compilerOptions = {
    ...RESOLUTIONS[resolution],
    target: 'es2023',
    strict: true,
    exactOptionalPropertyTypes: true,
    types: ['node'],
    rootDir: folder,
    outDir: join(folder, outDir),
    ...more,
  };
  const project = join(folder, `tsconfig.${outDir}.json`);
  writeFileSync(project, JSON.stringify({ compilerOptions, include }));
  run(process.execPath, [join(MODULES, 'typescript/bin/tsc'), '-p', project], folder);
}

function packed(ending: string): string[] {
  return readdirSync(installed, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(installed, name));
}

describe.skipIf(TOOLS.length > 0)(
  `the packed package${TOOLS.length > 0 ? ` (needs ${TOOLS.join(', ')})` : ''}`,
  () => {
    it('points at nothing that it does not hold', () => {
      const modules = [...packed('.js'), ...packed('.d.ts')];
      expect(modules.length).toBeGreaterThan(300);
      const missing = modules.flatMap((file) => {
        const text = readFileSync(file, 'utf8');
        const named = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) => match[1]!);
        const absent = named.filter((name) => !existsSync(target(file, name)));
        return [...absent, ...(text.includes('sourceMappingURL') ? ['a source map'] : [])].map(
          (name) => `${file}: ${name}`,
        );
      });
      // The command prepares a checkout, and only there.
      expect(missing.filter((name) => !name.endsWith('expert-router.js: ../scripts/prepare.js'))).toEqual([]);
    });

    it.each(['nodenext', 'bundler'] as const)('compiles and runs with modules found as %s', (resolution) => {
      compile(resolution, resolution, {}, ['main.ts']);
      const said = run(process.execPath, [join(folder, resolution, 'main.js')], folder);
      expect(JSON.parse(said)).toEqual({
        said: 'HELLO?',
        expert: 'one',
        cluster: true,
        words: true,
        trained: 1,
        simulation: ['function', 'function', 'h100'],
      });
    });

    it('refuses what is behind the entry points', () => {
      const code =
        "import('expert-router/dist/serving/app/app.js').then(() => 'open', (e) => e.code).then(console.log)";
      expect(run(process.execPath, ['-e', code], folder)).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED\n');
    });

    it('gives the examples types that fit', () => {
      mkdirSync(join(folder, 'examples'));
      for (const name of readdirSync(join(ROOT, 'examples')).filter((one) => one.endsWith('.js')))
        writeFileSync(join(folder, 'examples', name), readFileSync(join(ROOT, 'examples', name)));
      const loose = { allowJs: true, checkJs: true, noImplicitAny: false, noEmit: true };
      compile('nodenext', 'checked', loose, ['examples/*.js']);
    });
  },
);

/** A declaration's import names the module, `.js` or `.ts`, that stands beside it as a declaration. */
function target(file: string, name: string): string {
  const path = resolve(dirname(file), name);
  return file.endsWith('.d.ts') ? path.replace(/\.[jt]s$/, '.d.ts') : path;
}
