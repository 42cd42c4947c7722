/** What `expert-router engine --serve triton` writes, on a real Triton server; only the language model is a double. */
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { byteTokenizer } from '../support/byte-tokenizer.ts';
import { command } from '../support/command.ts';
import { routerProcess } from '../support/process.ts';
import { describeWith } from './component.ts';
import { type RealTriton, realTriton } from './triton/server.ts';

/** As NVIDIA's config.pbtxt has it: neither batch size nor decoupled mode, which model.yaml brings. */
const CONFIG = `name: "tensorrt_llm"
backend: "python"
instance_group [ { count: 1 kind: KIND_CPU } ]
input [
  { name: "text_input" data_type: TYPE_STRING dims: [ -1 ] },
  { name: "streaming" data_type: TYPE_BOOL dims: [ 1 ] optional: true },
  { name: "sampling_param_max_tokens" data_type: TYPE_INT32 dims: [ 1 ] optional: true },
  { name: "sampling_param_exclude_input_from_output" data_type: TYPE_BOOL dims: [ 1 ] optional: true },
  { name: "return_finish_reason" data_type: TYPE_BOOL dims: [ 1 ] optional: true }
]
output [
  { name: "text_output" data_type: TYPE_STRING dims: [ -1 ] },
  { name: "finish_reason" data_type: TYPE_STRING dims: [ -1 ] }
]
`;

async function writtenFolder(): Promise<string> {
  const out = join(mkdtempSync(join(tmpdir(), 'engine-')), 'out');
  const engine = ['engine', '--model', 'meta-llama/Llama-2-13b-chat-hf', '--experts', '1'];
  const ended = await command(...engine, '--serve', 'triton', '--out', out).ended;
  expect(ended).toBe(0);
  return out;
}

/** The written repository, completed as `prepare.sh` does it, with our double in place of NVIDIA's model. */
function repositoryFrom(folder: string) {
  return (repository: string): void => {
    cpSync(join(folder, 'triton/Llama-2-13b-chat-hf-fp8'), repository, { recursive: true });
    const model = join(repository, 'tensorrt_llm');
    writeFileSync(join(model, 'config.pbtxt'), CONFIG);
    cpSync(join(import.meta.dirname, 'triton/python/scripted.py'), join(model, '1/scripted.py'));
    cpSync(join(import.meta.dirname, 'tensorrt-llm/model.py'), join(model, '1/model.py'));
  };
}

async function served(folder: string, component: string, args: readonly string[]): Promise<RealTriton> {
  return realTriton(component, {
    load: [],
    control: 'none',
    arguments: args,
    models: repositoryFrom(folder),
  });
}

const decoupled = async ({ http }: RealTriton): Promise<boolean> => {
  const config = await fetch(`${http}/v2/models/tensorrt_llm/config`);
  const { model_transaction_policy } = (await config.json()) as {
    model_transaction_policy?: { decoupled: boolean };
  };
  return model_transaction_policy?.decoupled ?? false;
};

describeWith(['triton'], 'the Triton repository of expert-router engine', (component) => {
  describe('on a real Triton server', () => {
    it('streams through a router with the written config', async () => {
      const folder = await writtenFolder();
      const triton = await served(folder, component!, []);
      try {
        expect(await decoupled(triton)).toBe(true);
        const config = parse(readFileSync(join(folder, 'router.yaml'), 'utf8'));
        const here = { url: triton.grpc, metrics_url: triton.metrics, tokenizer: byteTokenizer() };
        Object.assign(config.experts[0], here);
        const file = join(folder, 'here.yaml');
        writeFileSync(file, stringify(config));
        const router = await routerProcess(['--config', file]);
        try {
          const messages = [{ role: 'user', content: 'Count to twenty.' }];
          const reply = await fetch(`${router.url}/v1/chat/completions`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ model: 'auto', stream: true, max_tokens: 64, messages }),
          });
          const body = await reply.text();
          expect([reply.status, body]).toEqual([200, expect.any(String)]);
          const events = body.split('\n').filter((line) => line.startsWith('data: {'));
          const texts = events.map((line) => JSON.parse(line.slice(6)).choices[0]?.delta?.content ?? '');
          expect(texts.filter(Boolean).length).toBeGreaterThan(3);
          expect(texts.join('')).toMatch(/^One, two, three 🙂, four/);
        } finally {
          await router.stop();
        }
      } finally {
        await triton.stop();
      }
    });

    it('could not stream if Triton were kept from completing the config', async () => {
      const triton = await served(await writtenFolder(), component!, ['--disable-auto-complete-config']);
      try {
        expect(await decoupled(triton)).toBe(false);
      } finally {
        await triton.stop();
      }
    });
  });
});
