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

  it('survive a broken byte in UTF-8', async () => {
    expect(
      await read('bad.txt', Buffer.concat([Buffer.from('é a'), Buffer.of(0xff), Buffer.from('b\nc')])),
    ).toEqual(['é a\ufffdb', 'c']);
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
    await expect(read('broken.parquet', 'no parquet at all')).rejects.toThrow(/broken.parquet: Cannot read/);
    await expect(read('cut.txt.gz', gzipSync('one\ntwo\n').subarray(0, 15))).rejects.toThrow(/cut.txt.gz/);
    await expect(findSources([join(folder, 'none.jsonl')], [])).rejects.toThrow(/No such file/);
    await expect(findSources([join(folder, 'a.exe')], [])).rejects.toThrow(UserError);
  });
});

const TABLE = ['prompt,label', '"bake, stir; ""knead""",food', 'plain | text,"food"'];
const IN_TABLE = ['bake, stir; "knead"', 'plain | text'];
const withDelimiter = (delimiter: string): string =>
  `prompt${delimiter}label\n"bake, stir; ""knead""\tnow | then",food\n`.replace(
    '",food',
    `"${delimiter}food`,
  );

describe('a table', () => {
  it.each([',', ';', '\t', '|'])('parted by %j is recognised', async (delimiter) => {
    expect(await read('parted.csv', withDelimiter(delimiter))).toEqual(['bake, stir; "knead"\tnow | then']);
  });

  it('may say its delimiter, as spreadsheets have it', async () => {
    expect(await read('sep.csv', `sep=;\n${withDelimiter(';')}`)).toEqual([
      'bake, stir; "knead"\tnow | then',
    ]);
  });

  it.each(['\n', '\r\n', '\r'])('has lines that end in %j', async (end) => {
    expect(await read('ends.csv', TABLE.join(end))).toEqual(IN_TABLE);
  });

  it('of one column holds whatever is on its lines', async () => {
    expect(await read('one.csv', 'prompt\nfirst, second; third\n"quoted, too"\n')).toEqual([
      'first, second; third',
      'quoted, too',
    ]);
  });

  it('with tabs has quotes only where they are sound', async () => {
    expect(await read('sound.tsv', 'prompt\tn\n"a ""b"""\t1\n')).toEqual(['a "b"']);
    expect(await read('unsound.tsv', 'prompt\tn\n"So", he said\t1\n"open\t2\n')).toEqual([
      '"So", he said',
      '"open',
    ]);
  });

  it('says which rows have more cells than the header, instead of cutting prompts', async () => {
    const broken: string[] = [];
    const onBroken = (_: string, why: string): number => broken.push(why);
    const found = await read('wide.csv', 'prompt,label\na,b\nHello, you,c\nd,e\n', { onBroken });
    expect(found).toEqual(['a', 'd']);
    expect(broken).toEqual(['a row has 3 cells where the first has 2: "Hello"']);
  });

  it('is refused with the line of a quote that never closes', async () => {
    await expect(read('open.csv', 'prompt,label\na,b\n"never closed,c\nd,e\n')).rejects.toThrow(
      /open\.csv: line \d+ opens a quote/,
    );
  });
});

describe('an encoding', () => {
  const text = TABLE.join('\n').replace('knead', 'Gebäck — 東京');
  const prompts = [IN_TABLE[0]!.replace('knead', 'Gebäck — 東京'), IN_TABLE[1]!];
  const utf16 = (bom: string): Buffer => Buffer.from(bom + text, 'utf16le');

  it.each([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${text}`)],
    ['UTF-16 LE with a mark', utf16('\ufeff')],
    ['UTF-16 BE with a mark', utf16('\ufeff').swap16()],
    ['UTF-16 LE', utf16('')],
    ['UTF-16 BE', utf16('').swap16()],
  ])('%s is recognised', async (_, bytes) => {
    const notices: string[] = [];
    expect(await read('encoded.csv', bytes, { onNotice: (_, what) => notices.push(what) })).toEqual(prompts);
    expect(notices).toEqual([]);
  });

  it('that is none of these is taken for Windows-1252, and that is said', async () => {
    const notices: string[] = [];
    const bytes = Buffer.from('prompt,n\nGeb\xe4ck \x96 ja,1\n', 'latin1');
    const onNotice = (path: string, what: string): number => notices.push(`${path}: ${what}`);
    expect(await read('western.csv', bytes, { onNotice })).toEqual(['Gebäck – ja']);
    expect(notices).toEqual([expect.stringMatching(/western\.csv: it is not UTF-8 .* Windows-1252/)]);
  });

  it('is detected at the first non-ASCII character, however late', async () => {
    const plain = 'plain text\n'.repeat(60_000);
    const found = await read('late.txt', `${plain}東京\n`);
    expect(found.at(-1)).toBe('東京');
    const western = Buffer.concat([Buffer.from(plain), Buffer.from('Geb\xe4ck', 'latin1')]);
    expect((await read('late-western.txt', western)).at(-1)).toBe('Gebäck');
  });

  it('holds for JSON and text as well', async () => {
    const lines = Buffer.from('\ufeff{"prompt":"a é"}\r\n{"prompt":"b"}', 'utf16le');
    expect(await read('wide.jsonl', lines)).toEqual(['a é', 'b']);
    expect(await read('wide.json', Buffer.from('\ufeff["é"]', 'utf16le'))).toEqual(['é']);
    expect(await read('wide.txt', Buffer.from('é\rb', 'utf16le'))).toEqual(['é', 'b']);
  });
});

describe('JSON as it is met', () => {
  it('may have NaN, as Python writes it, but not inside of texts', async () => {
    const lines = '{"prompt":"is NaN a \\"number\\"?","score":NaN}\n{"prompt":"b","score":-Infinity}';
    expect(await read('nan.jsonl', lines)).toEqual(['is NaN a "number"?', 'b']);
  });

  it('may be spread over lines, with broken ones counted', async () => {
    const broken: string[] = [];
    const pretty = [{ prompt: 'a' }, { deep: [{ prompt: 'b' }] }].map((one) => JSON.stringify(one, null, 2));
    const text = [pretty[0], '{"broken', '{', '  "prompt": "lost",', pretty[1]].join('\n');
    expect(await read('pretty.jsonl', text, { onBroken: (_, why) => broken.push(why) })).toEqual(['a', 'b']);
    expect(broken).toHaveLength(2);
  });
});

describe('a named field', () => {
  it('that does not exist is an error listing the fields, never another column', async () => {
    const field = 'questoin';
    await expect(read('f.csv', 'question,label\na very long text,b\n', { field })).rejects.toThrow(
      /f\.csv: there is no column 'questoin'; the columns are: question, label/,
    );
    await expect(read('f.tsv', 'question\tlabel\na\tb\n', { field })).rejects.toThrow(/question, label/);
    await expect(read('f.jsonl', '{"question":"a"}\n{"id":1}', { field })).rejects.toThrow(
      /f\.jsonl: there is no field 'questoin'; the fields are: question, id/,
    );
    await expect(read('f.json', '[{"question":"a"}]', { field })).rejects.toThrow(/fields are: question/);
    const bytes = parquetWriteBuffer({ columnData: [{ name: 'question', data: ['a'], type: 'STRING' }] });
    await expect(read('f.parquet', new Uint8Array(bytes), { field })).rejects.toThrow(/fields are: question/);
  });

  it('is read where it stands, and nothing else is', () => {
    expect(promptsOf({ prompt: 'no', deep: { frage: 'yes' } }, { field: 'frage' })).toEqual(['yes']);
    expect(promptsOf({ log: [{ role: 'user', content: 'hi' }] }, { field: 'log' })).toEqual(['hi']);
  });
});
