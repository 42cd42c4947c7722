import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../../core/errors.ts';
import { findSources } from './files.ts';
import { promptsOf } from './prompts.ts';
import { type ReadOptions, readPrompts } from './read.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sources-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(
  name: string,
  content: string | Uint8Array,
  options: ReadOptions = {},
): Promise<string[]> {
  const path = join(folder, name);
  await writeFile(path, content);
  const [file] = await findSources([path], []);
  const prompts: string[] = [];
  for await (const prompt of readPrompts(file!, options)) prompts.push(prompt);
  return prompts;
}

/** `printf 'alpha\nbeta\n' | zstd`, because Node 20 cannot make one. */
const ZSTD = Uint8Array.from(Buffer.from('KLUv/QRYWQAAYWxwaGEKYmV0YQp0bFIH', 'base64'));

describe('prompts in files', () => {
  it('are lines of a text, whatever their ends and however compressed', async () => {
    expect(await read('a.txt', 'one\r\n\r\ntwo')).toEqual(['one', 'two']);
    expect(await read('a.txt.gz', gzipSync('one\ntwo\n'))).toEqual(['one', 'two']);
    expect(await read('a.txt.zst', ZSTD)).toEqual(['alpha', 'beta']);
  });

  it('are the prompt fields of JSON lines, chats in either shape, with broken lines counted', async () => {
    const broken: string[] = [];
    const lines = [
      '{"prompt":"a"}',
      '{"instruction":"b","input":"c"}',
      '{"messages":[{"role":"system","content":"x"},{"role":"user","content":[{"type":"text","text":"d"}]}]}',
      '{"conversations":[{"from":"human","value":"e"},{"from":"gpt","value":"f"}]}',
      '{broken',
      '{"id":7}',
    ].join('\n');
    const found = await read('a.jsonl', lines, { onBroken: (_, why) => broken.push(why) });
    expect(found).toEqual(['a', 'b\nc', 'd', 'e']);
    expect(broken).toHaveLength(2);
  });

  it('are found inside of nested JSON, and in tables without names', async () => {
    expect(
      await read('a.json', '{"info":"x","data":[{"qas":[{"question":"q1"},{"question":"q2"}]}]}'),
    ).toEqual(['q1', 'q2']);
    expect(
      await read('b.json', '{"train":[["long request","label"]],"oos":[["other","oos"]]}', {
        skipLabels: ['oos'],
      }),
    ).toEqual(['long request']);
    expect(await read('c.json', '{"prompt":"one"}\n{"prompt":"two"}')).toEqual(['one', 'two']);
    expect(await read('d.json', '["one","two"]')).toEqual(['one', 'two']);
  });

  it('are a column of CSV or TSV, by header or by length', async () => {
    expect(await read('a.csv', 'id,prompt\n1,"say ""hi"",\nplease"\n2,bye')).toEqual([
      'say "hi",\nplease',
      'bye',
    ]);
    expect(await read('b.csv', 'a long question?,A,B\nanother question,C,D\n')).toEqual([
      'a long question?',
      'another question',
    ]);
    expect(await read('a.tsv', 'what is 2 "x" 3?\t6\n')).toEqual(['what is 2 "x" 3?']);
    expect(await read('c.csv', 'frage,nr\nwas?,1', { field: 'Frage' })).toEqual(['was?']);
  });

  it('come out of Parquet, nested chats included', async () => {
    const chats = [[{ role: 'user', content: 'hello' }], [{ role: 'user', content: 'bye' }]];
    const bytes = parquetWriteBuffer({ columnData: [{ name: 'messages', data: chats, type: 'JSON' }] });
    expect(await read('a.parquet', new Uint8Array(bytes))).toEqual(['hello', 'bye']);
  });

  it('survive invalid UTF-8', async () => {
    expect(await read('bad.txt', Uint8Array.from([0x61, 0xff, 0x62, 0x0a, 0x63]))).toEqual(['a\ufffdb', 'c']);
  });

  it('leave out a line of megabytes, and say so', async () => {
    const broken: string[] = [];
    const found = await read('long.txt', `short\n${'x'.repeat(50_000_000)}\nlast`, {
      onBroken: (_, why) => broken.push(why),
    });
    expect(found).toEqual(['short', 'last']);
    expect(broken).toEqual([expect.stringContaining('longer than 16 MiB')]);
  });

  it('are refused with the reason where the file is none', async () => {
    await expect(read('broken.json', '{"a":')).rejects.toThrow(UserError);
    await expect(read('broken.parquet', 'no parquet at all')).rejects.toThrow(/Cannot read .*broken.parquet/);
    await expect(read('cut.txt.gz', gzipSync('one\ntwo\n').subarray(0, 15))).rejects.toThrow(/cut.txt.gz/);
    await expect(findSources([join(folder, 'none.jsonl')], [])).rejects.toThrow(/No such file/);
    await expect(findSources([join(folder, 'a.exe')], [])).rejects.toThrow(UserError);
  });
});

describe('a named field', () => {
  it('is read where it stands, and nothing else is', () => {
    expect(promptsOf({ prompt: 'no', deep: { frage: 'yes' } }, { field: 'frage' })).toEqual(['yes']);
    expect(promptsOf({ log: [{ role: 'user', content: 'hi' }] }, { field: 'log' })).toEqual(['hi']);
  });
});
