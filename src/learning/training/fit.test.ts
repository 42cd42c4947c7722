import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../core/random.ts';
import { onThisThread } from '../../core/tasks.ts';
import { writeRouterModel } from '../../deciding/model/artefact.ts';
import { classify } from '../../deciding/model/classify.ts';
import { plainText } from '../../deciding/text/routable.ts';
import { corpusOf } from './corpus.ts';
import { checkEdits } from './edit.ts';
import { type FitOptions, type Fitted, fitModel } from './fit.ts';
import { reportOf } from './report/data.ts';
import { reportHtml } from './report/html.ts';

const OPTIONS: FitOptions = { clusters: 4, dimensions: 12, vocabulary: 4_000, restarts: 2, seed: 3 };

function trained(prompts: readonly string[], options: Partial<FitOptions> = {}): Promise<Fitted> {
  return fitModel(corpusOf(prompts, tmpdir()), { ...OPTIONS, ...options }, onThisThread);
}

const TOPICS = [
  'bake bread oven dough soup salt stir cake butter sugar recipe pan'.split(' '),
  'python function code bug error list loop compile string return class test'.split(' '),
  'court contract law judge party claim appeal statute tort lawyer evidence trial'.split(' '),
  'planet star orbit moon galaxy comet gravity telescope sun eclipse mars rocket'.split(' '),
];

function topical(count: number, seed: number): string[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    const words = TOPICS[index % 4]!;
    return Array.from({ length: 7 }, () => words[random.below(words.length)]).join(' ');
  });
}

describe('training', () => {
  it('gives the same file, bit for bit, for the same prompts and seed', async () => {
    const once = await trained(topical(400, 1));
    const again = await trained(topical(400, 1));
    expect(Buffer.from(writeRouterModel(again.model)).equals(writeRouterModel(once.model))).toBe(true);
    const other = await trained(topical(400, 1), { seed: 4 });
    expect(other.model.id).not.toBe(once.model.id);
  });

  it('finds topics without labels, and names them by their words', async () => {
    const { model, labels } = await trained(topical(600, 2));
    for (let index = 4; index < 600; index += 1) expect(labels[index]).toBe(labels[index % 4]);
    const kitchen = classify(model, plainText('bake a cake with butter and sugar'));
    expect(model.names[kitchen.cluster]!.split(' · ').every((word) => TOPICS[0]!.includes(word))).toBe(true);
  });

  it('has calibrated confidence on held-out prompts', async () => {
    const { check } = await trained(topical(1_200, 3));
    expect(check.expectedError).toBeLessThan(0.05);
  });

  it('searches for the number of clusters and finds the one that is there', async () => {
    const { model, curve } = await trained(topical(1_000, 4), { clusters: 'auto' });
    expect(curve.map((one) => one.clusters)).toContain(4);
    expect(curve[0]!.clusters).toBe(4);
    expect(curve[0]!.stability).toBeGreaterThan(0.9);
    expect(model.clusters).toBeGreaterThanOrEqual(4);
  });

  it('keeps numbers and names of clusters when it continues from an old model', async () => {
    const first = (await trained(topical(600, 5))).model;
    const { model, continued } = await trained(topical(600, 6), { previous: first, seed: 9 });
    expect(model.names).toEqual(first.names);
    expect(continued).toMatchObject({ kept: 4, changed: [] });
    expect(continued!.moved).toBeLessThan(0.05);
    for (const text of ['bake bread', 'python bug error', 'court appeal judge']) {
      expect(classify(model, plainText(text)).cluster).toBe(classify(first, plainText(text)).cluster);
    }
  });

  it('merges and splits clusters first, and keeps the numbers and names of the others', async () => {
    const first = (await trained(topical(600, 5))).model;
    const of = (model: typeof first, text: string): number => classify(model, plainText(text)).cluster;
    const [kitchen, code, court] = ['bake bread', 'python bug error', 'court appeal judge'].map((one) =>
      of(first, one),
    );
    const edits = { merge: [[kitchen!, code!]], split: [] };
    const merged = (await trained(topical(600, 6), { previous: first, edits, seed: 9 })).model;
    expect(merged.clusters).toBe(3);
    expect(of(merged, 'bake bread')).toBe(of(merged, 'python bug error'));
    expect(of(merged, 'court appeal judge')).not.toBe(of(merged, 'bake bread'));
    expect(merged.names).toContain(first.names[court!]);
    // The number that the merged one leaves is that of the other half.
    const back = { merge: [], split: [of(merged, 'bake bread')] };
    const again = await trained(topical(600, 7), { previous: merged, edits: back, seed: 9 });
    expect(again.model.clusters).toBe(4);
    expect(of(again.model, 'bake bread')).not.toBe(of(again.model, 'python bug error'));
    expect(of(again.model, 'court appeal judge')).toBe(of(merged, 'court appeal judge'));
    expect(new Set(again.model.names).size).toBe(4);
    const both = { merge: [[kitchen!, code!]], split: [court!] };
    const mixed = (await trained(topical(600, 6), { previous: first, edits: both, seed: 9 })).model;
    expect(mixed.clusters).toBe(4);
    expect(of(mixed, 'court appeal judge')).toBeLessThan(4);
  });

  it('refuses edits of clusters that are not there, are named twice, or hold too little', async () => {
    const first = (await trained(topical(600, 5))).model;
    expect(() => checkEdits({ merge: [[1, 9]], split: [] }, 4)).toThrow(/no cluster 9: the model has 0 to 3/);
    expect(() => checkEdits({ merge: [[1, 2]], split: [2] }, 4)).toThrow(/Cluster 2 is named twice/);
    expect(() => checkEdits({ merge: [[1]], split: [] }, 4)).toThrow(/two clusters or more/);
    const edits = { merge: [], split: [0] };
    await expect(trained(topical(40, 5), { previous: first, edits })).rejects.toThrow(/too few to split/);
  });

  it('moves the centroids through prompts beyond those it learned its words on', async () => {
    const { model, labels } = await trained(topical(3_000, 9), { fitOn: 800 });
    expect(labels).toHaveLength(800);
    expect(model.facts.prompts).toBe(3_000);
    expect(new Set(labels).size).toBe(4);
  });

  it('keeps example prompts out of the model unless asked', async () => {
    expect((await trained(topical(200, 1))).model.examples.flat()).toEqual([]);
    expect((await trained(topical(200, 1), { examples: 2 })).model.examples[0]).toHaveLength(2);
  });
});

describe('odd corpora', () => {
  const CASES: Readonly<Record<string, { prompts: string[]; clusters: number }>> = {
    'one prompt': { prompts: ['hello there'], clusters: 1 },
    'two identical prompts': { prompts: ['hello there', 'hello there'], clusters: 1 },
    'fewer distinct prompts than clusters': {
      prompts: ['one two', 'three four', 'one two', 'five six'],
      clusters: 3,
    },
    'one word, again and again': { prompts: Array.from({ length: 50 }, () => 'word'), clusters: 1 },
    'emoji alone': { prompts: ['🎉🎉', '🚀', '🎉🚀'], clusters: 3 },
  };

  it.each(Object.entries(CASES))(
    '%s: as many clusters as there can be, and decisions',
    async (_, { prompts, clusters }) => {
      const { model } = await trained(prompts, { clusters: 8 });
      expect(model.clusters).toBeLessThanOrEqual(clusters);
      const { cluster, confidence } = classify(model, plainText(prompts[0]!));
      expect(cluster).toBeLessThan(model.clusters);
      expect(confidence >= 0 && confidence <= 1).toBe(true);
    },
  );

  it('k = 1 puts everything together, without a margin', async () => {
    const { model } = await trained(topical(100, 1), { clusters: 1 });
    expect(model.clusters).toBe(1);
    expect(classify(model, plainText('bake bread')).margin).toBe(0);
  });
});

describe('the report', () => {
  it('shows every cluster, and prompts as text whatever is in them', async () => {
    const prompts = [...topical(300, 1), '<script>alert(1)</script> bake bread oven'];
    const fitted = await trained(prompts, { clusters: 'auto' });
    const run = { stages: [{ stage: 'reading', seconds: 1 }], peakBytes: 1e8, bytes: 1e6 };
    const report = reportOf(fitted, corpusOf(prompts, tmpdir()), run);
    expect(report.clusters.reduce((sum, one) => sum + one.size, 0)).toBe(301);
    expect(report.map.length).toBe(301);
    const html = reportHtml(report);
    for (const { name } of report.clusters) expect(html).toContain(name);
    expect(html).not.toContain('<script>');
    expect(html).not.toMatch(/NaN|undefined/);
  });
});

describe('what a model tells of those whose prompts it learned', () => {
  const fileOf = ({ model }: Fitted): string =>
    Buffer.from(writeRouterModel(model)).toString('latin1').toLowerCase();
  /** 190 notes about one person, and others; the name is in all of them, a rare word and a number in few. */
  const notes = topical(760, 5).map((text, index) => {
    if (index % 4 !== 0) return text;
    const rare = index % 200 === 0 ? ' zwiebelkuchen' : '';
    return `Mrs Vandersloot asks: ${text} for Vandersloot, room b1742${rare}`;
  });

  it('its names hold no surname, number or rare word by default', async () => {
    const fitted = await trained(notes);
    const file = fileOf(fitted);
    for (const word of ['vandersloot', '1742', 'zwiebelkuchen', 'mrs']) expect(file).not.toContain(word);
    expect(fitted.model.topWords.flat().join(' ')).toMatch(
      /bake|bread|oven|dough|soup|salt|stir|cake|butter|sugar|recipe|pan/,
    );
  });

  it('without terms it holds no word of them, and decides alike', async () => {
    const [usual, without] = [await trained(notes), await trained(notes, { terms: false })];
    const file = fileOf(without);
    for (const word of TOPICS.flat().filter((one) => one.length > 5)) expect(file).not.toContain(word);
    expect(fileOf(usual)).toMatch(/galaxy|lawyer|python|recipe|butter|planet/);
    expect(without.model.names).toEqual(['cluster 0', 'cluster 1', 'cluster 2', 'cluster 3']);
    for (const note of notes.slice(0, 40))
      expect(classify(without.model, plainText(note))).toMatchObject({
        cluster: (classify(usual.model, plainText(note)) as { cluster: number }).cluster,
      });
  });
});
