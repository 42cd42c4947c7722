/**
 * `npm run test:engines [component …] [-- vitest arguments]`: installs real engines below .cache/engines, with every
 * package pinned, then runs the tests under test/engines against them. Without names, all components. With `--install`
 * it installs and runs nothing.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { prepare, ROOT } from './prepare.js';

/**
 * Name → description and installation. `python`: a virtual environment with exactly the packages of
 * test/engines/<name>/requirements.txt, made by the first of these interpreters that is installed. `go`: the programs of
 * these names, built from the module test/engines/<name>, which pins its dependencies; `files`: copied from Go modules.
 */
const COMPONENTS = {
  triton: {
    about: "NVIDIA's Triton server 2.51 (24.10) on the CPU, and NVIDIA's own client",
    // The server's Python backend is built per Python version; these have wheels of everything it needs.
    python: ['python3.11', 'python3.12', 'python3.10'],
  },
  'llama-cpp': {
    about: "llama.cpp's server, build 10068, on the CPU; 68 MB",
    python: ['python3.11', 'python3.12', 'python3.10', 'python3'],
  },
  'vllm-sim': {
    about: "llm-d's simulator of vLLM 0.10.2, with vLLM's own metrics; some minutes of compiling",
    go: ['github.com/llm-d/llm-d-inference-sim/cmd/llm-d-inference-sim'],
  },
  envoy: {
    about: 'Envoy 1.40; 37 MB',
    python: ['python3'],
  },
  keda: {
    about: "KEDA's own client of external scalers, 2.21; a minute of compiling",
    go: ['example.test/keda'],
  },
  'otel-collector': {
    about:
      "OpenTelemetry's collector 0.165, with the parts of deploy/otel-collector.yaml; two minutes of compiling",
    go: ['example.test/otelcol'],
  },
  helm: {
    about: 'Helm 3.19 and kubeconform 0.7, with the CRDs that the chart uses; two minutes of compiling',
    go: ['helm.sh/helm/v3/cmd/helm', 'github.com/yannh/kubeconform/cmd/kubeconform'],
    files: {
      'sigs.k8s.io/gateway-api@v1.4.1': ['config/crd/standard/gateway.networking.k8s.io_httproutes.yaml'],
      'sigs.k8s.io/gateway-api-inference-extension@v1.6.0': [
        'config/crd/bases/inference.networking.k8s.io_inferencepools.yaml',
      ],
      'github.com/kedacore/keda/v2@v2.21.0': ['config/crd/bases/keda.sh_scaledobjects.yaml'],
    },
  },
  kubernetes: {
    about: "Kubernetes' own API server 1.34 and etcd 3.6; nine minutes of one core to compile",
    go: ['example.test/kubernetes/etcd', 'example.test/kubernetes/kube-apiserver'],
  },
  'kubernetes-schemas': {
    about: "JSON Schemas of Kubernetes' own objects",
    python: ['python3'],
  },
  shellcheck: {
    about: 'the shell script linter, for the scripts that `expert-router engine` writes',
    python: ['python3'],
  },
};

const PINS = { python: ['requirements.txt'], go: ['go.mod', 'go.sum'] };

const FOLDER = join(ROOT, '.cache', 'engines');

const split = process.argv.indexOf('--', 2);
const given = process.argv.slice(2, split < 0 ? undefined : split);
const named = given.filter((name) => name !== '--install');
const forVitest = split < 0 ? [] : process.argv.slice(split + 1);
const unknown = named.filter((name) => !(name in COMPONENTS));
if (unknown.length > 0) {
  fail(`unknown component: ${unknown.join(', ')}; known: ${Object.keys(COMPONENTS).join(', ')}`, 2);
}
const wanted = named.length > 0 ? named : Object.keys(COMPONENTS);

prepare();
for (const name of wanted) install(name, COMPONENTS[name]);
if (given.includes('--install')) process.exit(0);
const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const done = spawnSync(process.execPath, [vitest, 'run', 'test/engines', ...forVitest], {
  cwd: ROOT,
  stdio: 'inherit',
  env: { ...process.env, EXPERT_ROUTER_TEST_ENGINES: wanted.join(',') },
});
process.exit(done.status ?? 1);

/** Skipped if the same pins are already installed; otherwise reinstalled atomically. */
function install(name, component) {
  const source = join(ROOT, 'test', 'engines', name);
  const folder = join(FOLDER, name);
  const stamp = join(folder, '.installed');
  const hash = createHash('sha256');
  if (component.files) hash.update(JSON.stringify(component.files));
  for (const file of PINS[component.go ? 'go' : 'python']) hash.update(readFileSync(join(source, file)));
  const digest = hash.digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  console.error(`Installing ${name} (${component.about}) …`);
  const started = performance.now();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  if (component.go) buildGo(name, component, source, folder);
  else makeEnvironment(name, component.python, source, folder);
  writeFileSync(stamp, digest);
  console.error(`Installed ${name} in ${((performance.now() - started) / 1000).toFixed(0)} s.`);
}

function makeEnvironment(name, interpreters, source, folder) {
  run(interpreter(name, interpreters), ['-m', 'venv', folder]);
  const python = join(folder, 'bin', 'python');
  const requirements = join(source, 'requirements.txt');
  run(python, ['-m', 'pip', '--quiet', 'install', '--no-deps', '-r', requirements]);
}

function buildGo(name, { go: programs, files = {} }, source, folder) {
  const go = interpreter(name, ['go', '/usr/local/go/bin/go'], 'version');
  for (const program of programs)
    run(go, ['build', '-o', join(folder, 'bin', basename(program)), program], source);
  for (const [module, paths] of Object.entries(files)) {
    const { stdout, status, stderr } = spawnSync(go, ['mod', 'download', '-json', module], {
      cwd: source,
      encoding: 'utf8',
    });
    if (status !== 0) fail(`go mod download ${module}: ${stderr || stdout}`);
    mkdirSync(join(folder, 'files'), { recursive: true });
    for (const path of paths)
      copyFileSync(join(JSON.parse(stdout).Dir, path), join(folder, 'files', basename(path)));
  }
}

function interpreter(name, candidates, version = '--version') {
  const found = candidates.find((command) => spawnSync(command, [version]).status === 0);
  return (
    found ?? fail(`${name} needs one of ${candidates.join(', ')} on the PATH; install one and run again.`)
  );
}

function run(command, args, cwd = ROOT) {
  const ended = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2] });
  if (ended.status !== 0)
    fail(`${command} ${args.join(' ')} ended with ${ended.error?.message ?? ended.status}.`);
}

function fail(message, status = 1) {
  console.error(message);
  process.exit(status);
}
