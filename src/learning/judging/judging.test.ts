import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../core/random.ts';
import { outcomesOf } from '../outcomes/read.ts';
import { calibrationOf, rocOf } from './calibration.ts';
import { type Decider, nearestNeighbourScores, taskOracleScores } from './choice.ts';
import { judge } from './judge.ts';
import { judgementPage } from './page.ts';
import { gibberish, PERTURBATIONS } from './perturb.ts';
import { judgementText } from './text.ts';
import { areaUnderHull, type Predictions, pairMeasures, pointFor, tradeOff, upperHull } from './trade-off.ts';

const records = Array.from({ length: 40 }, (_, row) => {
  const code = row % 4 !== 0;
  return {
    prompt: `${code ? 'code' : 'poem'} number ${row}`,
    task: code ? 'code' : 'poem',
    scores: code ? { coder: 1, poet: 0.5 } : { coder: 0, poet: 1 },
    costs: { coder: 0.004, poet: 0.001 },
  };
});
const outcomes = outcomesOf(records);
const decide: Decider = (prompt) => ({
  expert: /poem/i.test(prompt) ? 'poet' : 'coder',
  expected: 0.9,
  strangeness: /code|poem/i.test(prompt) ? 0.5 : 2,
  vector: Float32Array.of(Number(/code/i.test(prompt)), Number(/poem/i.test(prompt))),
});

describe('a judgement', () => {
  it('has the figures by hand', async () => {
    const { figures, tasks, confusion, hindsight } = await judge(outcomes, decide, { seed: 1 });
    expect(figures).toEqual({
      n: 40,
      score_micro: 1,
      score_macro: 1,
      cost: expect.closeTo((30 * 0.004 + 10 * 0.001) / 40, 9),
      best_single: 0.75,
      task_oracle: 1,
      oracle: 1,
      random: (30 * 0.75 + 10 * 0.5) / 40,
      delta_vs_best_single: 0.25,
      standard_error: expect.closeTo(Math.sqrt((10 - 10 / 4) / 40 / 39), 6),
      models_used: { coder: 30, poet: 10 },
    });
    expect(hindsight).toBe(true);
    expect(tasks.map(({ score }) => score)).toEqual([1, 1]);
    expect(confusion).toEqual({
      names: ['coder', 'poet'],
      counts: [
        [30, 0],
        [0, 10],
      ],
    });
  });

  it('chooses its rivals by other prompts where there are some', async () => {
    const training = outcomesOf(records.map((record) => ({ ...record, scores: { coder: 0.2, poet: 0.9 } })));
    const { bestSingle, figures, hindsight } = await judge(outcomes, decide, { seed: 1, training });
    expect([bestSingle, hindsight]).toEqual(['poet', false]);
    expect(figures.best_single).toBe(0.625);
    expect(figures.task_oracle).toBe(0.625);
  });

  it('counts a wrong label as nothing and an unscored choice as unknown', async () => {
    const always =
      (expert: string): Decider =>
      (prompt) =>
        ({ ...(decide(prompt) as object), expert }) as never;
    const labelled = outcomesOf(records.map(({ prompt, task }) => ({ prompt, label: task })));
    expect((await judge(labelled, always('nobody'), { seed: 1 })).figures.score_micro).toBe(0);
    const unknown = await judge(outcomes, always('nobody'), { seed: 1 });
    expect(unknown.unscored).toBe(40);
    expect(judgementText(unknown).join('\n')).toMatch(/40 prompts went to an expert that has no score/);
  });

  it('is told as text and as a page with pictures', async () => {
    const judgement = await judge(outcomes, decide, { seed: 1 });
    expect(judgementText(judgement).join('\n')).toMatch(/best single: coder +75\.00/);
    const page = judgementPage(judgement, 'abc');
    for (const part of ['Calibration', 'ROC of', 'poet', 'abc']) expect(page).toContain(part);
    expect(page).not.toMatch(/NaN|undefined/);
  });

  it('says when all prompts are of one task', async () => {
    const one = outcomesOf(records.map((record) => ({ ...record, task: 'all' })));
    expect(judgementText(await judge(one, decide, { seed: 1 })).join('\n')).toMatch(/of one task, 'all'/);
  });
});

describe('rivals', () => {
  it('by nearest neighbour leave the prompt itself out', () => {
    const small = outcomesOf(
      [
        { prompt: 'p', scores: { a: 1, b: 0 } },
        { prompt: 'q', scores: { a: 0, b: 1 } },
        { prompt: 'r', scores: { a: 0, b: 1 } },
      ],
      { leastScores: 1 },
    );
    const vectors = [Float32Array.of(1, 0), Float32Array.of(0.9, 0.1), Float32Array.of(0, 1)];
    expect([...nearestNeighbourScores(small, vectors, small, vectors)]).toEqual([0, 0, 1]);
  });

  it('by task need tasks', () => {
    const bare = outcomesOf(records.map(({ prompt, scores }) => ({ prompt, scores })));
    expect(taskOracleScores(bare, bare)).toBeNull();
  });
});

describe('calibration and ROC', () => {
  it('are as computed by hand', () => {
    const found = calibrationOf([0.2, 0.2, 0.8, 0.8], [0, 1, 1, 1])!;
    expect(found.bins).toHaveLength(1);
    expect(found.error).toBeCloseTo(0.25);
    expect(calibrationOf([null, null], [0, 1])).toBeNull();
    const roc = rocOf([0.1, 0.4, 1.2], [0.3, 2, 3])!;
    expect(roc.area).toBeCloseTo(7 / 9);
    expect(roc.inForce).toEqual({ falseAlarms: 1 / 3, hits: 2 / 3 });
    expect(rocOf([0.5, 0.5], [0.5])!.area).toBeCloseTo(0.5);
  });
});

describe('perturbations', () => {
  it('change the writing, seeded, and leave the words recognisable', () => {
    const text = 'Write a function that reverses a list of numbers and explain how it works'.repeat(3);
    for (const { name, of } of PERTURBATIONS) {
      const changed = of(text, seededRandom(3));
      expect(changed, name).not.toBe(text);
      expect(of(text, seededRandom(3)), name).toBe(changed);
      expect(changed.length, name).toBeGreaterThan(text.length * 0.9);
    }
    expect(gibberish(seededRandom(1))).toMatch(/^[a-z]+( [a-z]+){2,}$/);
  });
});

describe('score against cost', () => {
  const predictions: Predictions = {
    predicted: Float64Array.from(outcomes.scores),
    prices: [
      { cost: 0.004, latency: null },
      { cost: 0.001, latency: null },
    ],
    best: 0,
    headStart: 0,
  };
  const curve = tradeOff(outcomes, predictions);

  it('runs from the best choice to the cheapest', () => {
    expect(curve.points[0]).toMatchObject({ scorePerCost: 0, score: 1, cost: expect.closeTo(0.00325, 9) });
    expect(curve.points.at(-1)).toMatchObject({ score: 0.625, cost: expect.closeTo(0.001, 9) });
    expect(curve.aiq).toBeGreaterThan(curve.aiqWithoutRouter);
  });

  it('meets a budget, a share, and the best single score at least cost', () => {
    expect(pointFor(curve, { kind: 'cost', atMost: 0.002 })).toMatchObject({
      cost: expect.closeTo(0.001, 9),
    });
    expect(pointFor(curve, { kind: 'share', expert: 'coder', atMost: 0.8 })).toMatchObject({ score: 1 });
    expect(pointFor(curve, { kind: 'best-single', keep: 1 })).toMatchObject({
      cost: expect.closeTo(0.00325, 9),
    });
    expect(pointFor(curve, { kind: 'cost', atMost: 0.0001 })).toBeNull();
  });

  it('still parts prompts by price where nothing beats the best single expert in score', () => {
    const cautious = tradeOff(outcomes, { ...predictions, headStart: Number.POSITIVE_INFINITY });
    expect(cautious.points[0]).toMatchObject({ score: 0.75, cost: expect.closeTo(0.004, 9) });
    expect(cautious.points.some(({ score }) => score === 1)).toBe(true);
  });

  it('has the area under its hull', () => {
    const points = [
      { cost: 0, score: 0 },
      { cost: 1, score: 1 },
      { cost: 0.5, score: 0.2 },
    ];
    expect(upperHull(points)).toHaveLength(2);
    expect(areaUnderHull(points, [0, 1])).toBeCloseTo(0.5);
    expect(areaUnderHull(points, [0, 2])).toBeCloseTo(0.75);
  });

  it('has APGR and CPT of a pair', () => {
    const pair = outcomesOf(
      Array.from({ length: 10 }, (_, row) => ({
        prompt: `p${row}`,
        scores: { strong: 1, weak: row < 5 ? 0 : 1 },
      })),
      { leastScores: 1 },
    );
    const sorted = pairMeasures(
      pair,
      Float64Array.from({ length: 20 }, (_, at) => (at % 2 ? 0 : 20 - at)),
      0,
      1,
    );
    expect(sorted).toMatchObject({ strong: 'strong', weak: 'weak', cpt50: 0.3, cpt80: 0.4 });
    expect(sorted.apgr).toBeCloseTo(0.75);
  });
});
