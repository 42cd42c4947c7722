import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { composeSchema } from '../../test/support/compose-schema.ts';
import { UserError } from '../core/errors.ts';
import { loadConfig } from '../serving/config/load.ts';
import { configJsonSchema } from '../serving/config/schema.ts';
import { engineCommand } from './engine.ts';

const MODEL = 'meta-llama/Llama-2-13b-chat-hf';
const here = () => mkdtempSync(join(tmpdir(), 'engine-'));

/** Runs the verb in this process and gives what it printed. */
async function run(...args: readonly string[]): Promise<string> {
  const lines: string[] = [];
  const log = console.log;
  console.log = (line: unknown) => void lines.push(String(line));
  try {
    await engineCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
      .parseAsync([...args], { from: 'user' });
  } finally {
    console.log = log;
  }
  return lines.join('\n');
}

/** Writes a folder and gives its path. */
async function written(...args: readonly string[]): Promise<string> {
  const out = join(here(), 'out');
  await run('--out', out, ...args);
  return out;
}

/** A folder with the config.json of a small model. */
function localModel(name: string): string {
  const folder = join(here(), name);
  mkdirSync(folder);
  const config = {
    num_hidden_layers: 24,
    hidden_size: 2048,
    num_attention_heads: 16,
    num_key_value_heads: 8,
    intermediate_size: 5632,
    vocab_size: 32_000,
    max_position_embeddings: 4096,
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  return folder;
}

const read = (folder: string, path: string): string => readFileSync(join(folder, path), 'utf8');
const kinds = JSON.stringify(configJsonSchema());
const hasTriton = kinds.includes('"const":"triton"');

const WAYS = [
  ['trtllm-serve', ['--serve', 'trtllm-serve']],
  ['triton', ['--serve', 'triton']],
  ['legacy', ['--serve', 'legacy']],
  ['published as it is', ['--precision', 'bf16']],
  ['two GPUs each', ['--tp', '2']],
] as const;

describe.each(WAYS)('expert-router engine: %s', (_, args) => {
  it('writes a compose file that its specification allows', async () => {
    const compose = parse(read(await written('--model', MODEL, ...args), 'compose.yaml'));
    expect(composeSchema.safeParse(compose).error?.issues ?? []).toEqual([]);
  });

  it('writes scripts that bash can parse', async () => {
    const folder = await written('--model', MODEL, ...args);
    const scripts = [
      'prepare.sh',
      ...readdirSync(join(folder, 'container')).map((name) => `container/${name}`),
    ];
    expect(scripts.length).toBeGreaterThan(1);
    for (const script of scripts) {
      const checked = spawnSync('bash', ['-n', join(folder, script)], { encoding: 'utf8' });
      expect([script, checked.status, checked.stderr]).toEqual([script, 0, '']);
    }
  });
});

describe('the config of the router', () => {
  it('is accepted by the router for trtllm-serve', async () => {
    const config = await loadConfig(join(await written('--model', MODEL), 'router.yaml'), {});
    expect(config.experts).toHaveLength(8);
    expect(config.experts.every(({ max_concurrent }) => max_concurrent === 127)).toBe(true);
  });

  it.skipIf(!hasTriton).each(['triton', 'legacy'])('is accepted by the router for %s', async (serve) => {
    const folder = await written('--model', MODEL, '--serve', serve);
    const { experts } = await loadConfig(join(folder, 'router.yaml'), {});
    expect(experts.map(({ kind }) => kind)).toEqual(Array.from({ length: 8 }, () => 'triton'));
    const published = JSON.stringify(parse(read(folder, 'compose.yaml')));
    for (const { url, metrics_url, tokenizer } of experts) {
      expect(tokenizer).toContain(
        `${folder}/${serve === 'legacy' ? 'built' : 'checkpoints'}/Llama-2-13b-chat-hf-fp8`,
      );
      expect(published).toContain(`127.0.0.1:${new URL(url as string).port}:8001`);
      expect(published).toContain(`127.0.0.1:${new URL(metrics_url as string).port}:8002`);
    }
  });

  it.skipIf(!hasTriton)('reads the tokenizer of a model served in place from where that lies', async () => {
    const small = localModel('small');
    const folder = await written('--model', small, '--precision', 'bf16', '--serve', 'triton');
    const { experts } = await loadConfig(join(folder, 'router.yaml'), {});
    expect(experts[0]!.tokenizer).toBe(small);
  });

  it('names each expert of --expert, its own model and its own limits', async () => {
    const small = localModel('small');
    const folder = await written('--expert', `code=${small}`, '--expert', `general=${MODEL}`);
    const { experts } = await loadConfig(join(folder, 'router.yaml'), {});
    expect(experts.map(({ id, model }) => [id, model])).toEqual([
      ['code', 'small-fp8'],
      ['general', 'Llama-2-13b-chat-hf-fp8'],
    ]);
    expect(experts[0]!.max_concurrent).toBeGreaterThan(experts[1]!.max_concurrent!);
    const { models } = JSON.parse(read(folder, 'plan.json'));
    expect(models.map((model: { source: string }) => model.source)).toEqual([small, MODEL]);
  });
});

describe('the folder', () => {
  it('prints as JSON what plan.json keeps', async () => {
    const out = join(here(), 'out');
    const { folder, ...plan } = JSON.parse(await run('--model', MODEL, '--out', out, '--json'));
    expect(folder).toBe(out);
    expect(read(out, 'router.yaml')).not.toContain(out);
    expect(plan).toEqual(JSON.parse(read(out, 'plan.json')));
  });

  it('is never written over without --force, and with it the checkpoints stay', async () => {
    const out = await written('--model', MODEL);
    await expect(run('--model', MODEL, '--out', out)).rejects.toThrow(/--force/);
    mkdirSync(join(out, 'checkpoints/done'), { recursive: true });
    writeFileSync(join(out, 'checkpoints/done/config.json'), '{}');
    await run('--model', MODEL, '--out', out, '--experts', '2', '--force');
    expect(Object.keys(parse(read(out, 'compose.yaml')).services)).toEqual(['expert-1', 'expert-2']);
    expect(existsSync(join(out, 'checkpoints/done/config.json'))).toBe(true);
  });

  it('never takes the place of a folder that is not ours', async () => {
    const out = here();
    writeFileSync(join(out, 'thesis.txt'), 'unsaved');
    await expect(run('--model', MODEL, '--out', out, '--force')).rejects.toThrow(
      /not written by this command/,
    );
    expect(readdirSync(out)).toEqual(['thesis.txt']);
  });

  it.each([
    [[], /--model: name the model/],
    [['--model', 'llama-2-13b'], /neither a Hugging Face repository/],
    [['--model', 'owner/unheard-of'], /sizes of owner\/unheard-of.*--local-dir/],
    [['--model', MODEL, '--gpu', 'a100', '--precision', 'fp8'], /--kv-cache fp8/],
    [['--model', MODEL, '--gpu', 'h1000'], /Did you mean "h100"/],
    [['--model', MODEL, '--experts', '9'], /--experts: 9 experts/],
    [['--model', MODEL, '--experts', '0'], /--experts: must be at least 1/],
    [['--model', MODEL, '--tp', '0'], /--tp: must be 1, 2, 4 or 8/],
    [['--model', MODEL, '--tp', '4', '--gpus', '2'], /--gpus: an expert on 4 GPUs does not fit on 2/],
    [['--model', MODEL, '--port', '0'], /--port: must be at least 1/],
    [['--model', MODEL, '--serve', 'legacy', '--tp', '2', '--experts', '4'], /--tp: compiled engines/],
    [['--model', MODEL, '--expert', `a=${MODEL}`], /--expert: names a model for each/],
    [['--model', MODEL, '--context', '5000'], /--context: 5000/],
    [['--model', 'meta-llama/Llama-3.1-70B-Instruct', '--gpu', 'l4'], /does not fit/],
  ])('%j is refused by name, and nothing is written', async (args, message) => {
    const parent = here();
    const out = join(parent, 'out');
    await expect(run(...args, '--out', out)).rejects.toThrow(message);
    await expect(run(...args, '--out', out)).rejects.toThrow(UserError);
    expect(readdirSync(parent)).toEqual([]);
  });

  it.each([
    [['--expert', 'no-model'], /expected <id>=<model>/],
    [['--expert', `auto=${MODEL}`], /asks the router to choose/],
    [['--expert', `a=${MODEL}`, '--expert', `a=${MODEL}`], /two experts are called "a"/],
  ])('%j is wrong usage', async (args, message) => {
    await expect(run(...args)).rejects.toThrow(message);
  });
});

describe('the help', () => {
  it('has examples that work', async () => {
    const texts: string[] = [];
    const shown = engineCommand().configureOutput({ writeOut: (text) => void texts.push(text) });
    shown.outputHelp();
    const lines = [...texts.join('').matchAll(/\$ expert-router engine (.*)/g)].map((match) => match[1]!);
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) {
      const words = line.replace('./Qwen2.5-Coder-7B-Instruct', localModel('coder')).split(' ');
      expect(
        JSON.parse(await run(...words, '--out', join(here(), 'out'), '--json')).experts.length,
      ).toBeGreaterThan(1);
    }
  });
});

/** Docker and git that do what the real ones would leave behind, and write down how they were called. */
const DOUBLES = {
  docker: `printf '%s\\n' "docker $*" >> "$CALLS"
for word in "$@"; do
  case $word in
    OUT=/folder/*) out=\${word#OUT=/folder/} ;;
    *importlib.metadata*) echo "\${TENSORRT_LLM:-1.2.1}"; exit 0 ;;
  esac
done
mkdir -p "$out/engine"; echo {} > "$out/config.json"
[ -z "\${FAIL:-}" ] || exit 1
echo {} > "$out/engine/config.json"`,
  git: `printf '%s\\n' "git $*" >> "$CALLS"
if [ "$1" = clone ]; then
  to="\${*: -1}/triton_backend/all_models/llmapi/tensorrt_llm"
  mkdir -p "$to/1"; touch "$to/config.pbtxt" "$to/1/model.py" "$to/1/helpers.py"
fi`,
  pip: `printf '%s\\n' "pip $*" >> "$CALLS"`,
  python3: `printf '%s\\n' "python3 $*" >> "$CALLS"`,
  'trtllm-build': `printf '%s\\n' "trtllm-build $*" >> "$CALLS"`,
} as const;

function doubles(): {
  readonly run: (script: string, env?: Record<string, string>) => Ran;
  readonly calls: () => string[];
} {
  const folder = here();
  const log = join(folder, 'calls');
  writeFileSync(log, '');
  for (const [name, body] of Object.entries(DOUBLES)) {
    writeFileSync(join(folder, name), `#!/usr/bin/env bash\n${body}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  const PATH = `${folder}:${process.env.PATH}`;
  return {
    run: (script, env = {}) => {
      const all = { ...process.env, HF_HOME: join(folder, 'cache'), ...env, PATH, CALLS: log };
      const { status, stdout, stderr } = spawnSync('bash', [script], { encoding: 'utf8', env: all });
      return { status, text: stdout + stderr };
    },
    calls: () => readFileSync(log, 'utf8').trim().split('\n').filter(Boolean),
  };
}
interface Ran {
  readonly status: number | null;
  readonly text: string;
}

describe('prepare.sh, with doubles of docker and git', () => {
  it('makes each model once, and nothing anew when run again', async () => {
    const folder = await written('--model', MODEL);
    const { run: bash, calls } = doubles();
    const first = bash(join(folder, 'prepare.sh'));
    expect([first.status, first.text]).toEqual([0, expect.stringContaining('Everything is ready')]);
    expect(existsSync(join(folder, 'checkpoints/Llama-2-13b-chat-hf-fp8/config.json'))).toBe(true);
    const made = calls();
    expect(made.filter((call) => call.startsWith('docker run'))).toHaveLength(1);
    expect(made.join('\n')).toContain(`--env MODEL=${MODEL}`);
    expect(bash(join(folder, 'prepare.sh')).status).toBe(0);
    expect(calls()).toEqual(made);
  });

  it('leaves no half-made checkpoint where one is looked for, and makes it anew', async () => {
    const folder = await written('--model', MODEL);
    const { run: bash } = doubles();
    expect(bash(join(folder, 'prepare.sh'), { FAIL: '1' }).status).not.toBe(0);
    expect(existsSync(join(folder, 'checkpoints/Llama-2-13b-chat-hf-fp8'))).toBe(false);
    expect(bash(join(folder, 'prepare.sh')).status).toBe(0);
    expect(readdirSync(join(folder, 'checkpoints'))).toEqual(['Llama-2-13b-chat-hf-fp8']);
  });

  it('completes the Triton repository beside our model.yaml', async () => {
    const folder = await written('--model', MODEL, '--serve', 'triton');
    expect(doubles().run(join(folder, 'prepare.sh')).status).toBe(0);
    const model = join(folder, 'triton/Llama-2-13b-chat-hf-fp8/tensorrt_llm');
    expect(readdirSync(model).toSorted()).toEqual(['1', 'config.pbtxt']);
    expect(readdirSync(join(model, '1')).toSorted()).toEqual(['helpers.py', 'model.py', 'model.yaml']);
    expect(parse(read(model, '1/model.yaml')).triton_config.decoupled).toBe(true);
  });

  it.each(['triton', 'legacy'])(
    '%s: stops where image and sources are of different versions',
    async (serve) => {
      const folder = await written('--model', MODEL, '--serve', serve);
      const { run: bash } = doubles();
      const { status, text } = bash(join(folder, 'prepare.sh'), { TENSORRT_LLM: '1.3.0' });
      expect([status, text]).toEqual([1, expect.stringContaining('--trtllm-tag v1.3.0')]);
    },
  );

  it('mounts a folder of the host for quantising, and serves it in place where nothing is to be done', async () => {
    const small = localModel('my model');
    const quantised = await written('--model', small);
    const { run: bash, calls } = doubles();
    expect(bash(join(quantised, 'prepare.sh')).status).toBe(0);
    expect(calls().join('\n')).toContain(`--volume ${small}:/model:ro`);
    const plain = await written('--model', small, '--precision', 'bf16');
    expect(parse(read(plain, 'compose.yaml')).services['expert-1'].volumes[0].source).toBe(small);
    const before = calls().length;
    expect(bash(join(plain, 'prepare.sh')).status).toBe(0);
    expect(calls()).toHaveLength(before);
  });
});

describe('what containers run, with doubles of their programs', () => {
  /** The script as the container sees it, /folder and all. */
  function inContainer(folder: string, script: string, env: Record<string, string>) {
    const text = read(folder, `container/${script}`).replaceAll('/folder/', `${folder}/`);
    const path = join(folder, 'as-in-container.sh');
    writeFileSync(path, text);
    const { run: bash, calls } = doubles();
    const owner = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
    const ran = bash(path, { OUT: join(folder, 'made'), OWNER: owner, ...env });
    return { ...ran, calls: calls() };
  }

  it('quantises with the flags of the format', async () => {
    const folder = await written('--model', MODEL, '--kv-cache', '16bit');
    mkdirSync(join(folder, 'sources/Model-Optimizer-0.46.0/examples/hf_ptq'), { recursive: true });
    mkdirSync(join(folder, 'made'));
    const { status, calls } = inContainer(folder, 'quantise.sh', { MODEL });
    expect(status).toBe(0);
    expect(calls.at(-1)).toBe(
      `python3 hf_ptq.py --pyt_ckpt_path ${MODEL} --qformat fp8 --kv_cache_qformat none --dataset cnn_dailymail --calib_size 512 --export_path ${folder}/made`,
    );
  });

  const templates = (folder: string, place: string): string => {
    const models = join(folder, 'sources/TensorRT-LLM-v1.2.1/triton_backend/all_models/inflight_batcher_llm');
    for (const model of ['ensemble', 'preprocessing', 'postprocessing', 'tensorrt_llm', 'tensorrt_llm_bls']) {
      mkdirSync(join(models, model), { recursive: true });
      writeFileSync(
        join(models, model, 'config.pbtxt'),
        `string_value: "\${triton_max_batch_size}"\n${place}`,
      );
    }
    mkdirSync(join(folder, 'made'));
    return localModel('hf');
  };
  const build = async () => {
    const folder = await written('--model', MODEL, '--serve', 'legacy');
    return { folder, script: readdirSync(join(folder, 'container'))[0]! };
  };

  it('builds the engine for the planned limits, and fills what the templates have a place for', async () => {
    const { folder, script } = await build();
    const { status, text, calls } = inContainer(folder, script, { MODEL: templates(folder, '') });
    expect([status, text]).toEqual([0, expect.stringContaining('has no decoupled_mode in this version')]);
    const trtllm = calls.find((call) => call.startsWith('trtllm-build'))!;
    expect(trtllm).toContain('--max_batch_size 127 --max_num_tokens 8192 --max_seq_len 4096');
    expect(calls.filter((call) => call.includes('fill_template.py'))).toHaveLength(5);
    expect(calls.at(-1)).toMatch(/tensorrt_llm\/config\.pbtxt triton_max_batch_size:127$/);
    expect(existsSync(join(folder, 'made/tokenizer/config.json'))).toBe(true);
  });

  it('fails if a template has a variable without a value', async () => {
    const { folder, script } = await build();
    const { status, text } = inContainer(folder, script, {
      MODEL: templates(folder, 'data_type: ${brand_new_type}\n'),
    });
    expect([status, text]).toEqual([1, expect.stringContaining('variables without a value')]);
  });
});
