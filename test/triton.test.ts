/** The triton kind against a stand-in: what a real server does rarely, by gRPC and by HTTP alike. */
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import type { ChatBody } from '../src/serving/dialects/openai/bodies.ts';
import { events, listen, requestOf, textOf } from '../src/serving/experts/expert.contract.tools.ts';
import { describeExpert } from '../src/serving/experts/expert.contract.ts';
import type { Expert } from '../src/serving/experts/expert.ts';
import { healthText } from '../src/serving/experts/expert.ts';
import { eventually } from './support/gateway.ts';
import {
  type Asked,
  type DoubleSettings,
  type Step,
  type TritonDouble,
  tritonDouble,
} from './support/triton-double.ts';
import { tritonExpert } from './support/triton-expert.ts';

const PROTOCOLS = ['grpc', 'http'] as const;
type Protocol = (typeof PROTOCOLS)[number];

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function setUp(
  protocol: Protocol,
  settings: DoubleSettings,
  options: Readonly<Record<string, unknown>> = {},
): Promise<{ double: TritonDouble; expert: Expert }> {
  const double = await tritonDouble(settings);
  const expert = await tritonExpert(double[protocol], options);
  open.push(double, expert);
  return { double, expert };
}

const chat = (more: object = {}) =>
  requestOf({ messages: [{ role: 'user', content: 'Hello' }], max_tokens: 50, ...more } as ChatBody);

const says = (...texts: readonly (string | Buffer)[]): Step[] => [
  ...texts.map((text) => ({ outputs: { text_output: text } })),
  'final',
];

const signal = () => new AbortController().signal;

/** Twenty words in tokens of one word each, with the counts that an ensemble gives. */
function counting({ inputs }: Asked): Step[] {
  const limit = Number(inputs.max_tokens?.[0]);
  const words = Array.from({ length: 20 }, (_, index) => `word${index} `);
  const steps = words.slice(0, limit).map((word) => ({
    outputs: { text_output: word, num_input_tokens: [5], num_output_tokens: [1] },
  }));
  return [...steps, 'final'];
}

for (const protocol of PROTOCOLS) {
  describe(`triton, stand-in, ${protocol}`, () => {
    describeExpert(
      `triton stand-in, ${protocol}`,
      async () => {
        const double = await tritonDouble({ steps: counting });
        const expert = await tritonExpert(double[protocol]);
        // The stand-in lives as long as its expert.
        const close = expert.close.bind(expert);
        expert.close = async () => {
          await close();
          await double.close();
        };
        return expert;
      },
      { tells: { finishReason: false } },
    );

    it('sends every parameter to the tensor that means it', async () => {
      const { double, expert } = await setUp(protocol, { steps: () => says('ok') });
      const asked = {
        ...{ temperature: 0.5, top_p: 0.25, top_k: 7, seed: 42, max_tokens: 9, stop: ['END', 'FIN'] },
        ...{ repetition_penalty: 1.5, frequency_penalty: 0.5, presence_penalty: -0.5 },
      };
      await listen(expert, chat(asked)).done;
      expect(double.asked[0]?.inputs).toEqual({
        text_input: ['<|start|>user\nHello<|end|><|start|>assistant\n'],
        ...{ max_tokens: [9], stream: [true], exclude_input_in_output: [true] },
        ...{ return_num_input_tokens: [true], return_num_output_tokens: [true] },
        ...{ temperature: [0.5], top_p: [0.25], top_k: [7], seed: [42], stop_words: ['END', 'FIN'] },
        ...{ repetition_penalty: [1.5], frequency_penalty: [0.5], presence_penalty: [-0.5] },
      });
    });

    it('puts sampling into JSON for vLLM, and into its own tensors for llmapi', async () => {
      const models = { vllm: 'vllm', llmapi: 'llmapi' } as const;
      const double = await tritonDouble({ steps: () => says('ok'), models });
      open.push(double);
      for (const model of ['vllm', 'llmapi']) {
        const expert = await tritonExpert(double[protocol], { model });
        open.push(expert);
        const asked = {
          temperature: 0,
          seed: 3,
          stop: ['END'],
          max_tokens: undefined,
          max_completion_tokens: 8,
        };
        await listen(expert, chat(asked)).done;
      }
      const [vllm, llmapi] = double.asked.map(({ inputs }) => inputs);
      const json = JSON.parse(String(vllm?.sampling_parameters?.[0]));
      expect(json).toEqual({ max_tokens: 8, temperature: 0, seed: 3, stop: ['END'] });
      expect(vllm).toMatchObject({ stream: [true], return_finish_reason: [true] });
      // Greedy by the best token alone: not every engine takes a temperature of 0.
      expect(llmapi).toMatchObject({
        ...{ streaming: [true], sampling_param_max_tokens: [8], sampling_param_top_k: [1] },
        ...{ sampling_param_seed: [3], sampling_param_stop: ['END'], return_finish_reason: [true] },
      });
      expect(llmapi).not.toHaveProperty('sampling_param_temperature');
    });

    it('takes the older name of a tensor, and refuses what the model has none for', async () => {
      const { expert } = await setUp(protocol, {
        steps: () => says('ok'),
        without: ['frequency_penalty', 'seed', 'stop_words'],
      });
      const refused = await listen(expert, chat({ frequency_penalty: 1 })).done;
      expect(refused.failure).toMatchObject({ code: 'unsupported_parameter', param: 'frequency_penalty' });
      const taken = await listen(expert, chat({ frequency_penalty: 0, seed: 1, stop: 'k' })).done;
      expect(textOf(taken.body)).toBe('o');
    });

    it.each([
      ['said by the config', { parameters: { accumulate_tokens: 'true' } }, {}],
      ['said by the option', { parameters: { accumulate_tokens: 'false' } }, { output: 'cumulative' }],
      ['found out', {}, {}],
    ])('takes cumulative outputs apart: %s', async (_, settings, options) => {
      const texts = ['Good', 'Good morn', 'Good morning 🙂', 'Good morning 🙂', 'Good morning 🙂!'];
      const { expert } = await setUp(protocol, { steps: () => says(...texts), ...settings }, options);
      const { body } = await listen(expert, chat({ stream: true })).done;
      expect(textOf(body)).toBe('Good morning 🙂!');
    });

    it('holds half characters back, in incremental and in cumulative outputs', async () => {
      const smile = Buffer.from('a🙂b');
      const halves = says(smile.subarray(0, 3), smile.subarray(3, 4), smile.subarray(4));
      const { expert } = await setUp(protocol, { steps: () => halves });
      const pieces = events((await listen(expert, chat({ stream: true })).done).body).map(
        (chunk) => chunk.choices[0].delta.content ?? '',
      );
      expect(pieces.filter(Boolean)).toEqual(['a', '🙂b']);
      const repeated = await setUp(
        protocol,
        { steps: () => says('a', 'a\uFFFD', 'a🙂', 'a🙂b') },
        { output: 'cumulative' },
      );
      expect(textOf((await listen(repeated.expert, chat()).done).body)).toBe('a🙂b');
    });

    it('ends with a replacement character where the answer ends within one', async () => {
      const { expert } = await setUp(protocol, { steps: () => says('ab', Buffer.from('🙂').subarray(0, 2)) });
      expect(textOf((await listen(expert, chat()).done).body)).toBe('ab\uFFFD');
    });

    it('takes an echoed prompt off, with its control tokens or without', async () => {
      for (const echo of ['<|start|>user\nHello<|end|><|start|>assistant\n', 'user\nHelloassistant\n']) {
        const { expert } = await setUp(protocol, {
          steps: () => says(echo.slice(0, 9), echo.slice(9), 'Hi!'),
        });
        expect(textOf((await listen(expert, chat()).done).body)).toBe('Hi!');
      }
    });

    it('says that tools are left out, which its prompt cannot tell of', async () => {
      const { expert } = await setUp(protocol, { steps: () => says('ok') });
      const tools = [{ type: 'function', function: { name: 'look' } }];
      const heard = async (more: object) =>
        (await listen(expert, chat({ tools, ...more } as never)).done).headers;
      expect(await heard({})).toMatchObject({ 'x-expert-router-dropped': 'tools' });
      expect(await heard({ tool_choice: 'none' })).not.toHaveProperty('x-expert-router-dropped');
    });

    it('leaves usage and finish reason unknown if the server does not report them', async () => {
      const { expert } = await setUp(protocol, { steps: () => says('a', 'b') });
      const whole = await listen(expert, chat()).done;
      expect(whole.outcome).toEqual({ usage: 'unknown', finishReason: 'unknown' });
      expect(JSON.parse(whole.body)).not.toHaveProperty('usage');
      const asked = { stream: true, stream_options: { include_usage: true } };
      const chunks = events((await listen(expert, chat(asked)).done).body);
      expect(chunks.some((chunk) => chunk.usage)).toBe(false);
    });

    it('a stream that ends without its final response is no clean end', async () => {
      // HTTP has no other mark of the end than the end of the body, so there only a cut can be told.
      const end = protocol === 'grpc' ? 'end' : 'cut';
      const { expert } = await setUp(protocol, { steps: () => [{ outputs: { text_output: 'some' } }, end] });
      const heard = listen(expert, chat({ stream: true }));
      const { failure } = await heard.done;
      expect(failure?.code).toBe('expert_cut_stream');
      expect(heard.calls).not.toContain('end');
    });

    it.each([
      ['as an error on the stream', { error: 'Error generating request: out of memory' }, 'expert_failed'],
      [
        'as too long a prompt',
        { error: 'Prompt length (99) exceeds maximum input length (64)' },
        'context_length_exceeded',
      ],
      [
        'as a full queue',
        { status: status.UNAVAILABLE, details: 'Exceeds maximum queue size' },
        'overloaded',
      ],
      [
        'as a model that was unloaded',
        { status: status.NOT_FOUND, details: "Request for unknown model: 'ensemble' is not found" },
        'expert_not_ready',
      ],
      [
        'as a refused tensor',
        {
          status: status.INVALID_ARGUMENT,
          details: "unexpected shape for input 'top_k' for model 'ensemble'. Expected [-1,1], got [1]",
        },
        'expert_failed',
      ],
      [
        'as a missing key',
        { status: status.UNAUTHENTICATED, details: 'This protocol is restricted' },
        'expert_failed',
      ],
    ] as const)('tells a failure before the first byte %s', async (_, step, code) => {
      const { expert } = await setUp(protocol, { steps: () => [step] });
      const heard = listen(expert, chat({ stream: true }));
      const { failure } = await heard.done;
      expect(failure?.code).toBe(code);
      expect(heard.calls).toEqual(['fail']);
      const said = 'error' in step ? step.error : step.details;
      expect(failure?.message).toContain(said);
    });

    it('reports a failure in the middle of an answer', async () => {
      const { expert } = await setUp(protocol, {
        steps: () => [
          { outputs: { text_output: 'some' } },
          { error: 'Error generating request: lost a GPU' },
        ],
      });
      const heard = listen(expert, chat({ stream: true }));
      const { failure, status: code } = await heard.done;
      expect(code).toBe(200);
      expect(failure).toMatchObject({ code: 'expert_failed' });
      expect(failure?.message).toContain('lost a GPU');
    });

    it('gives up on silence, before the first response and within an answer', async () => {
      const limits = { header_timeout: '100ms', idle_timeout: '100ms', connect_timeout: '50ms' };
      for (const steps of [['silence'], [{ outputs: { text_output: 'x' } }, 'silence']] as const) {
        const { double, expert } = await setUp(protocol, { steps: () => steps }, limits);
        const { failure } = await listen(expert, chat({ stream: true })).done;
        expect(failure?.code).toBe('expert_timeout');
        await eventually('the server is told', () => double.cancelled() === 1);
      }
    });

    it('cancels at the server when the reader leaves, and when a stop text comes', async () => {
      const steps: Step[] = [{ outputs: { text_output: 'one STOP two' } }, 'silence'];
      const { double, expert } = await setUp(protocol, { steps: () => steps });
      const heard = listen(expert, chat({ stream: true }));
      await heard.first;
      heard.generation.cancel();
      await eventually('the first is cancelled', () => double.cancelled() === 1);
      expect(heard.calls).not.toContain('fail');
      const { body, outcome } = await listen(expert, chat({ stop: 'STOP' })).done;
      expect(textOf(body)).toBe('one ');
      expect(outcome?.finishReason).toBe('stop');
      await eventually('the second is cancelled', () => double.cancelled() === 2);
    });

    it('uses a model that is not decoupled without streaming', async () => {
      const { double, expert } = await setUp(protocol, {
        decoupled: false,
        steps: () => [
          {
            outputs: { text_output: 'all at once', num_input_tokens: [2], num_output_tokens: [3] },
            final: true,
          },
        ],
      });
      const { body } = await listen(expert, chat({ stream: true })).done;
      expect(textOf(body)).toBe('all at once');
      expect(double.asked[0]?.inputs.stream).toEqual([false]);
    });

    it('names the models when it cannot choose, and what is wrong with a dialect that was forced', async () => {
      const models = { one: 'ensemble', two: 'vllm', eye: 'strange' } as const;
      const failure = async (options: object) => {
        const { expert } = await setUp(protocol, { steps: () => says('x'), models }, { ...options });
        const told = (await listen(expert, chat()).done).failure?.message;
        const health = await expert.health(signal());
        expect(health.state).toBe('down');
        expect(healthText(health)).toBe(told);
        return told;
      };
      expect(await failure({})).toContain('several models. Name one with `model`: one, two, eye');
      expect(await failure({ model: 'one', dialect: 'llmapi' })).toMatch(
        /does not speak the dialect 'llmapi'.*sampling_param_max_tokens.*It looks like 'ensemble'/s,
      );
      expect(await failure({ model: 'eye' })).toMatch(
        /no language model of a known dialect \(its inputs: pixels\)/,
      );
    });

    it('says what is missing when there is no template or no tokeniser', async () => {
      const double = await tritonDouble({ steps: () => says('x'), models: { core: 'core' } });
      open.push(double);
      const bare = await tritonExpert(double[protocol], { tokenizer: undefined });
      open.push(bare);
      expect((await listen(bare, chat()).done).failure?.message).toContain('no chat template');
      const ids = await tritonExpert(double[protocol], { tokenizer: undefined, chat_template: 'plain' });
      open.push(ids);
      expect((await listen(ids, chat()).done).failure?.message).toContain('takes token ids (dialect core)');
    });

    it('speaks in token ids, and does not let a text begin twice', async () => {
      const { double, expert } = await setUp(protocol, {
        models: { core: 'core' },
        steps: ({ inputs }) => {
          const ids = [...Buffer.from('ü!')];
          return [
            { outputs: { output_ids: [...(inputs.input_ids as number[]), ids[0]!], sequence_length: [99] } },
            ...ids.slice(1).map((id) => ({ outputs: { output_ids: [id, 0, 0], sequence_length: [1] } })),
            { outputs: { output_ids: [257], sequence_length: [1] }, final: true },
          ];
        },
      });
      const { body, outcome } = await listen(expert, chat()).done;
      expect(textOf(body)).toBe('ü!');
      const prompt = double.asked[0]?.inputs.input_ids ?? [];
      expect(prompt[0]).toBe(256);
      expect(double.asked[0]?.inputs).toMatchObject({ input_lengths: [prompt.length], end_id: [257] });
      expect(outcome).toEqual({
        finishReason: 'stop',
        usage: { inputTokens: prompt.length, outputTokens: 4 },
      });
    });

    it('sends the keys of a restricted API and other headers', async () => {
      const { double, expert } = await setUp(
        protocol,
        { steps: () => says('x') },
        { headers: { 'X-Team': 'a' }, restricted_api: { 'infer-key': 'secret' } },
      );
      await listen(expert, chat()).done;
      const key = protocol === 'grpc' ? 'triton-grpc-protocol-infer-key' : 'infer-key';
      for (const headers of double.headers) expect(headers).toMatchObject({ 'x-team': 'a', [key]: 'secret' });
    });

    it('is warming while the model is being loaded, and down when the server is unreachable', async () => {
      const { double, expert } = await setUp(
        protocol,
        { steps: () => [], state: 'LOADING' },
        { model: 'ensemble' },
      );
      expect(await expert.health(signal())).toMatchObject({ state: 'warming' });
      await double.close();
      expect(await expert.health(signal())).toMatchObject({ state: 'down' });
      expect((await listen(expert, chat()).done).failure?.code).toBe('expert_unreachable');
    });
  });
}

describe('triton, HTTP alone', () => {
  it('says so when an answer is not one', async () => {
    const { expert } = await setUp('http', { steps: () => [{ raw: '{"text_output":' }, 'end'] });
    expect((await listen(expert, chat()).done).failure).toMatchObject({ code: 'expert_failed' });
  });
});
