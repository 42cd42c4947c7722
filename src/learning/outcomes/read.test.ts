import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Outcomes } from './outcomes.ts';
import { type OutcomeOptions, outcomesOf, readOutcomes } from './read.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'outcomes-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(
  name: string,
  content: string | Uint8Array,
  options: OutcomeOptions = {},
): Promise<Outcomes> {
  const path = join(folder, name);
  await writeFile(path, content);
  return readOutcomes([path], { leastScores: 1, ...options });
}

const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const scored = (scores: (index: number) => Record<string, number | null>, count = 40) =>
  many(count, (index) => ({ prompt: `prompt ${index}`, scores: scores(index) }));
const told = (outcomes: Outcomes): string => outcomes.notices.join('\n');

describe('outcomes', () => {
  const expected = {
    experts: ['a', 'b'],
    prompts: ['p', 'q'],
    scores: Float64Array.of(1, 0.5, Number.NaN, 0),
  };

  it('are read from maps, columns and a line per expert alike', async () => {
    const maps = '{"prompt":"p","scores":{"a":1,"b":0.5}}\n{"prompt":"q","scores":{"b":0,"a":null}}';
    const lines =
      '{"prompt":"p","expert":"a","score":1}\n{"prompt":"p","model":"b","score":0.5}\n{"prompt":"q","expert":"b","score":0}';
    const table = 'prompt,scores.a,scores.b\np,1,0.5\nq,,0\n';
    for (const [name, text] of [
      ['maps.jsonl', maps],
      ['lines.jsonl', lines],
      ['table.csv', table],
      ['named.csv', 'prompt,a,b,c\np,1,0.5,9\nq,,0,9\n'],
    ] as const)
      expect(await read(name, text, name === 'named.csv' ? { scores: ['a', 'b'] } : {})).toMatchObject(
        expected,
      );
    const bytes = parquetWriteBuffer({
      columnData: [
        { name: 'prompt', data: ['p', 'q'], type: 'STRING' },
        { name: 'a|score', data: [1, undefined], type: 'DOUBLE', nullable: true },
        { name: 'b|score', data: [0.5, 0], type: 'DOUBLE' },
      ],
    });
    expect(await read('p.parquet', new Uint8Array(bytes))).toMatchObject(expected);
  });

  it('have costs, latencies and tasks where the file has', async () => {
    const one = { prompt: 'p', task: 't', scores: { a: 1 }, costs: { a: 0.2 }, latencies: { a: 3 } };
    expect(outcomesOf([one, { prompt: 'q', expert: 'a', score: 0 }], { leastScores: 1 })).toMatchObject({
      costs: Float64Array.of(0.2, Number.NaN),
      latencies: Float64Array.of(3, Number.NaN),
      tasks: ['t', null],
    });
  });

  it('come from a semicolon table in UTF-16 with decimal commas', async () => {
    const text = '\ufeffprompt;scores.a;scores.b\r\n"Gebäck; 東京";0,5;1\r\nq;0;0,25\r\n';
    const outcomes = await read('excel.csv', Buffer.from(text, 'utf16le'));
    expect(outcomes.prompts).toEqual(['Gebäck; 東京', 'q']);
    expect([...outcomes.scores]).toEqual([0.5, 1, 0, 0.25]);
  });

  it('from labels are 1 for the right experts and 0 for the others', () => {
    const outcomes = outcomesOf([
      { prompt: 'p', label: 'a' },
      { prompt: 'q', label: 'b' },
      { prompt: 'r', label: ['a', 'b'] },
    ]);
    expect(outcomes).toMatchObject({ experts: ['a', 'b'], fromLabels: true });
    expect([...outcomes.scores]).toEqual([1, 0, 0, 1, 1, 1]);
  });
});

describe('a scale', () => {
  it('of stars or per cent is found, and said', () => {
    const stars = outcomesOf(scored((index) => ({ a: 1 + (index % 5), b: 3 })));
    expect([...stars.scores.slice(0, 4)]).toEqual([0, 0.5, 0.25, 0.5]);
    expect(told(stars)).toMatch(/scale from 1 to 5/);
    const percent = outcomesOf(scored((index) => ({ a: index * 2, b: 55.5 })));
    expect(percent.scores[1]).toBe(0.555);
    expect(told(percent)).toMatch(/scale from 0 to 100/);
  });

  it('of 0..1 with a few mistakes stays one, and the mistakes are left out', () => {
    const outcomes = outcomesOf(scored((index) => ({ a: index === 7 ? -1 : 1, b: 0.5 }), 100));
    expect(outcomes.scores[14]).toBeNaN();
    expect(told(outcomes)).toMatch(/1 of 200 scores are outside 0\.\.1 \(-1\)/);
  });

  it('that the user gives is obeyed', () => {
    const outcomes = outcomesOf(
      scored(() => ({ a: 4, b: 2 })),
      { scale: { low: 0, high: 4 } },
    );
    expect([...outcomes.scores.slice(0, 2)]).toEqual([1, 0.5]);
  });

  it('that differs between experts, or is none, is refused', () => {
    expect(() => outcomesOf(scored((index) => ({ a: index % 2, b: (index * 2.5) % 100 })))).toThrow(
      /'a' lie between 0 and 1, those of others reach up to 100: they are on different scales/,
    );
    expect(() => outcomesOf(scored((index) => ({ a: 1000 + index, b: 1100 })))).toThrow(/--scale 1000:1100/);
  });
});

describe('what is not as it should be', () => {
  it('an expert with three scores is left out, and that is said', () => {
    const outcomes = outcomesOf(scored((index) => ({ a: 1, b: 0, ...(index < 3 ? { rare: 1 } : {}) })));
    expect(outcomes.experts).toEqual(['a', 'b']);
    expect(told(outcomes)).toMatch(/'rare' has 3 scores; fewer than 12 say nothing/);
  });

  it('contradicting duplicates count once, with their mean', () => {
    const records = [...scored(() => ({ a: 1, b: 0 })), { prompt: 'prompt 3', scores: { a: 0, b: 0 } }];
    const outcomes = outcomesOf(records);
    expect(outcomes.prompts).toHaveLength(40);
    expect([...outcomes.scores.slice(6, 8)]).toEqual([0.5, 0]);
    expect(told(outcomes)).toMatch(/1 prompts occur several times, 1 of them with different scores/);
    expect(outcomesOf(records, { keepRepeats: true }).prompts).toHaveLength(41);
  });

  it('contradicting labels: the first counts, and it is said', () => {
    const outcomes = outcomesOf([
      { prompt: 'p', label: 'a' },
      { prompt: 'p', label: 'b' },
      { prompt: 'q', label: 'a' },
    ]);
    expect(outcomes.labels).toEqual(['a', 'a']);
    expect(told(outcomes)).toMatch(/1 repeated prompts have different labels/);
  });

  it('a label with one prompt is named', () => {
    const outcomes = outcomesOf([
      ...many(3, (i) => ({ prompt: `p${i}`, label: 'a' })),
      { prompt: 'q', label: 'b' },
    ]);
    expect(told(outcomes)).toMatch(/labels with a single prompt: b;/);
  });

  it('experts that only the file or only the config has are named, and none in common is an error', () => {
    const known = [{ id: 'a' }, { id: 'c' }];
    const outcomes = outcomesOf(
      scored(() => ({ a: 1, b: 0 })),
      { known },
    );
    expect(told(outcomes)).toMatch(/scored, but not in the config: b;/);
    expect(told(outcomes)).toMatch(/in the config, but not scored: c;/);
    expect(() =>
      outcomesOf(
        scored(() => ({ gpt: 1, llama: 0 })),
        { known },
      ),
    ).toThrow(
      /No expert of the config has scores\. Scored are: gpt, llama; the config has: a, c\..*--rename "gpt=/,
    );
    const renamed = outcomesOf(
      scored(() => ({ gpt: 1, llama: 0 })),
      { known, rename: { gpt: 'a' } },
    );
    expect(renamed.experts).toEqual(['a', 'llama']);
    const byModel = outcomesOf(
      scored(() => ({ gpt: 1, a: 0 })),
      { known: [{ id: 'a' }, { id: 'c', model: 'gpt' }] },
    );
    expect(byModel.experts).toEqual(['a', 'c']);
    expect(told(byModel)).toMatch(/'gpt' is the model of expert 'c'/);
  });

  it.each(['wrong.csv', 'wrong.jsonl'])(
    'a wrong field in %s is an error with the names of all',
    async (name) => {
      const text = name.endsWith('.csv')
        ? 'a long question,scores.a\nhow?,1\n'
        : '{"a long question":"how?","scores.a":1}';
      for (const options of [{ field: 'frage' }, { label: 'frage' }, { scores: ['frage'] }] as const)
        await expect(read(name, text, options)).rejects.toThrow(
          /there is no field 'frage'.*The fields are: a long question, scores\.a/,
        );
      await expect(read(name, text)).rejects.toThrow(/no prompt found.*a long question.*--field/);
      await expect(
        read(name, text.replaceAll('scores.a', 'x'), { field: 'a long question' }),
      ).rejects.toThrow(/no scores found.*Known layouts/);
    },
  );

  it('broken records, and those with nothing to judge by, are counted', async () => {
    const outcomes = await read('broken.jsonl', '{"prompt":"p","scores":{"a":1}}\n{oops\n{"prompt":"q"}\n');
    expect(told(outcomes)).toMatch(/1 records cannot be read/);
    expect(told(outcomes)).toMatch(/1 of 2 records have no prompt or nothing to judge by/);
  });
});
