import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteTokenizer, CONTROL } from '../../../../test/support/byte-tokenizer.ts';
import { askOf } from '../expert.contract.tools.ts';
import { Answer, type AnswerFacts } from './answer.ts';
import { withoutEcho } from './echo.ts';
import { newText } from './new-text.ts';
import { metricsUrl, tritonOptions } from './options.ts';
import { promptMaker } from './prompt.ts';
import { decodeRaw, encodeRaw, outputsFromJson } from './tensors.ts';
import { idsToText, readTokenizer } from './tokenizer.ts';

describe('tensors', () => {
  const roundTrip = (datatype: string, values: readonly (string | number | boolean)[]) =>
    decodeRaw(datatype, encodeRaw({ name: 'x', datatype, shape: [values.length], values }));

  it('come back as they were sent', () => {
    const texts = fc.array(fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(texts, (values) => {
        const back = roundTrip('BYTES', values) as Buffer[];
        expect(back.map(String)).toEqual(values.map((value) => Buffer.from(value).toString()));
      }),
    );
    expect(roundTrip('INT32', [-1, 2 ** 31 - 1])).toEqual([-1, 2 ** 31 - 1]);
    expect(roundTrip('UINT64', [0, Number.MAX_SAFE_INTEGER])).toEqual([0, Number.MAX_SAFE_INTEGER]);
    expect(roundTrip('FP32', [0.5, -2])).toEqual([0.5, -2]);
    expect(roundTrip('BOOL', [true, false])).toEqual([true, false]);
  });

  it('are refused when their bytes break off, and left alone when nobody reads their type', () => {
    const raw = encodeRaw({ name: 'x', datatype: 'BYTES', shape: [1], values: ['text'] });
    expect(() => decodeRaw('BYTES', raw.subarray(0, 6))).toThrow(RangeError);
    expect(decodeRaw('FP16', Buffer.alloc(2))).toBeNull();
  });

  it('keep their bytes in JSON that is no valid UTF-8', () => {
    const half = Buffer.from('🙂').subarray(0, 3);
    const json = Buffer.concat([Buffer.from('{"text_output":"a'), half, Buffer.from('","n":[[1],[2]]}')]);
    const { outputs, error } = outputsFromJson(json);
    expect(outputs.get('text_output')?.[0]).toEqual(Buffer.concat([Buffer.from('a'), half]));
    expect(outputs.get('n')).toEqual([1, 2]);
    expect(error).toBeNull();
    expect(outputsFromJson(Buffer.from('{"error":"no"}')).error).toBe('no');
  });
});

describe('newText', () => {
  const read = (cumulative: boolean | null, responses: readonly Buffer[]): string => {
    const fresh = newText(cumulative);
    return Buffer.concat([...responses.map((bytes) => fresh.push(bytes)), fresh.finish()]).toString();
  };
  /** A text of words, so that nothing but its own repetition looks like one. */
  const words = fc.array(fc.constantFrom('the ', 'cat ', 'sat, ', 'ünd ', '十三 ', '🙂 ', 'here. '), {
    minLength: 4,
  });

  it('puts pieces together however bytes were cut', () => {
    fc.assert(
      fc.property(words, fc.array(fc.nat(99), { maxLength: 9 }), (list, cuts) => {
        const bytes = Buffer.from(list.join(''));
        const at = [0, ...cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b), bytes.length];
        const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(read(false, pieces)).toBe(list.join(''));
      }),
    );
  });

  it('takes a text apart that is repeated in every response, told or found out', () => {
    fc.assert(
      fc.property(words, (list) => {
        const repeated = list.map((_, index) => Buffer.from(list.slice(0, index + 1).join('')));
        expect(read(true, repeated)).toBe(list.join(''));
        expect(read(null, repeated)).toBe(list.join(''));
      }),
    );
  });

  it.each([
    [['ha', 'ha', 'ha']],
    [['a', 'an', 'ant', ' hill']],
    [['-', '--', '----', '--------', '----------------', '--------------------------------']],
    [['\n', '\n\n', 'x']],
    [['', 'one', '', ' two']],
    [['the', 'then']],
  ])('finds out that %j is no repetition, unless it ends in doubt', (pieces) => {
    const texts = pieces.map((piece) => Buffer.from(piece));
    const doubtful = pieces.at(-1) === 'then';
    expect(read(null, texts)).toBe(doubtful ? 'then' : pieces.join(''));
  });
});

describe('withoutEcho', () => {
  const through = (echoes: readonly string[], pieces: readonly string[]): string => {
    const filter = withoutEcho(echoes);
    return pieces.map((piece) => filter.push(piece)).join('') + filter.flush();
  };

  it('removes the longest that fits, and nothing that only begins like it', () => {
    expect(through(['user: hi', 'user: hi there'], ['user', ': hi th', 'ere friend'])).toBe(' friend');
    expect(through(['user: hi'], ['user: ', 'hello'])).toBe('user: hello');
    expect(through(['user: hi'], ['use'])).toBe('use');
    expect(through([], ['as it is'])).toBe('as it is');
  });
});

describe('Answer', () => {
  const FACTS: AnswerFacts = { cumulative: false, echoes: [], stop: [], maxTokens: 9, ids: null };
  const output = (text: string, more: object = {}) => ({
    ...{ text: Buffer.from(text), ids: [], finishReason: null, inputTokens: null, outputTokens: null },
    ...more,
  });

  it('adds up counts, and says length when they reach the limit', () => {
    const answer = new Answer(FACTS);
    answer.push(output('a', { inputTokens: 4, outputTokens: 4 }));
    answer.push(output('b', { inputTokens: 4, outputTokens: 5 }));
    expect(answer.finish()).toEqual({
      text: '',
      finishReason: 'length',
      usage: { inputTokens: 4, outputTokens: 9 },
    });
  });

  it('knows no usage when a response lacks its count, or when counts may repeat each other', () => {
    const uncounted = new Answer(FACTS);
    uncounted.push(output('a', { inputTokens: 4, outputTokens: 1 }));
    uncounted.push(output('b'));
    expect(uncounted.finish().usage).toBe('unknown');
    const repeated = new Answer({ ...FACTS, cumulative: true });
    repeated.push(output('a', { inputTokens: 4, outputTokens: 1 }));
    repeated.push(output('ab', { inputTokens: 4, outputTokens: 2 }));
    expect(repeated.finish().usage).toBe('unknown');
  });
});

describe('idsToText', () => {
  it('waits for the bytes of a character, and gives up on those that never make one', () => {
    const text = idsToText((ids) => Buffer.from(ids).toString());
    const push = (bytes: Buffer): string[] => [...bytes].map((byte) => text.push(byte));
    expect(push(Buffer.from('é🙂'))).toEqual(['', 'é', '', '', '', '🙂']);
    expect(push(Buffer.from([0xff, 0xff, 0xff, 0xff])).join('')).toBe('\uFFFD'.repeat(4));
    expect(text.push(0xc3)).toBe('');
    expect(text.flush()).toBe('\uFFFD');
  });
});

describe('the tokeniser of a model', () => {
  const folder = (files: Readonly<Record<string, unknown>>): string => {
    const path = mkdtempSync(join(tmpdir(), 'model-'));
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(path, name), typeof content === 'string' ? content : JSON.stringify(content));
    }
    return path;
  };
  const chat = (...contents: readonly string[]) =>
    askOf({ messages: contents.map((content) => ({ role: 'user', content })) }).prompt();

  it('encodes text and control tokens, and gives the text back', async () => {
    const { tokens, special, eos } = await readTokenizer(byteTokenizer());
    expect(eos).toBe(CONTROL.end);
    expect(special.toSorted()).toEqual([CONTROL.end, CONTROL.start]);
    const ids = tokens!.encode(`${CONTROL.start}ü🙂`, false);
    expect(ids).toEqual([256, ...Buffer.from('ü🙂')]);
    const text = tokens!.toText();
    expect(ids.map((id) => text.push(id)).join('') + text.flush()).toBe('ü🙂');
    expect(tokens!.endId).toBe(257);
  });

  it('has its template in a file of its own, among several, or as one', async () => {
    const config = {
      chat_template: [
        { name: 'tools', template: 'no' },
        { name: 'default', template: 'yes' },
      ],
    };
    expect((await readTokenizer(folder({ 'tokenizer_config.json': config }))).template).toBe('yes');
    const both = folder({ 'tokenizer_config.json': config, 'chat_template.jinja': 'own' });
    expect((await readTokenizer(both)).template).toBe('own');
    const named = { bos_token: { content: '<s>' }, eos_token: '</s>' };
    expect(await readTokenizer(folder({ 'tokenizer_config.json': named }))).toMatchObject({
      ...{ template: null, bos: '<s>', eos: '</s>', tokens: null },
    });
  });

  it('says what is wrong with it', async () => {
    await expect(readTokenizer('/nowhere')).rejects.toThrow('/nowhere does not exist');
    await expect(readTokenizer(folder({}))).rejects.toThrow('holds neither');
    await expect(readTokenizer(folder({ 'tokenizer.json': '{' }))).rejects.toThrow('is not JSON');
    await expect(readTokenizer(folder({ 'tokenizer.json': {} }))).rejects.toThrow('cannot be used');
  });

  it('is overruled by the template of the config, which may be a file, a template, or none at all', async () => {
    const files = await readTokenizer(byteTokenizer());
    const path = join(folder({ 'my.jinja': 'file {{ messages[0].content }}' }), 'my.jinja');
    const text = async (template?: string) => (await promptMaker('x', template, files))(chat('a', 'b')).text;
    expect(await text()).toBe('<|start|>user\na<|end|><|start|>user\nb<|end|><|start|>assistant\n');
    expect(await text(path)).toBe('file a');
    expect(await text('{{ messages | length }}{{ eos_token }}')).toBe('2<|end|>');
    expect(await text('plain')).toBe('a\n\nb');
    await expect(text('/nowhere.jinja')).rejects.toThrow('cannot be read');
    await expect(text('{% if %}')).rejects.toThrow('no template that can be used');
    const refusing = await promptMaker('x', "{{ raise_exception('roles must alternate') }}", files);
    expect(() => refusing(chat('a'))).toThrow(/refuses these messages.*roles must alternate/s);
  });
});

describe('options', () => {
  it('take addresses that say their protocol, and no others', () => {
    const ok = (url: unknown) => tritonOptions.safeParse({ url }).success;
    expect(['grpc://h:8001', 'grpcs://h', 'http://h:8000', 'https://h'].every(ok)).toBe(true);
    expect(ok([{ url: 'grpc://a:1', weight: 2 }, 'http://b:2'])).toBe(true);
    expect(['h:8001', 'tcp://h', []].some(ok)).toBe(false);
    expect(tritonOptions.safeParse({ url: 'grpc://h', dialect: 'other' }).success).toBe(false);
  });

  it('find the page of metrics beside either port', () => {
    expect(metricsUrl(new URL('grpc://h:8001'), undefined)).toBe('http://h:8002/metrics');
    expect(metricsUrl(new URL('http://h:9000'), undefined)).toBe('http://h:9002/metrics');
    expect(metricsUrl(new URL('grpc://h'), undefined)).toBe('http://h:8002/metrics');
    expect(metricsUrl(new URL('grpc://h'), 'http://m/x')).toBe('http://m/x');
    expect(metricsUrl(new URL('grpc://h'), false)).toBeNull();
  });
});
