import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../core/random.ts';
import { onThisThread } from '../../core/tasks.ts';
import { chosen, fitOf, type Quality } from '../../deciding/quality/quality.ts';
import { qualitySettings, qualityTensors, readQuality } from '../../deciding/quality/section.ts';
import { fitChain } from './chain.ts';
import { foldsOf, groupsOf } from './folds.ts';
import { learnQuality } from './learn.ts';
import { nonNegativeWeights } from './non-negative.ts';
import { fitRidge } from './ridge.ts';
import { effectsOf, type Scores } from './scores.ts';

const DIMENSIONS = 6;

/** Two regions of the sphere; expert `a` is good in one, `b` in the other, `c` mediocre everywhere. */
function world(prompts: number, seed: number, good = 0.9, bad = 0.2) {
  const random = seededRandom(seed);
  const values = new Float32Array(prompts * DIMENSIONS);
  const scores = new Float64Array(prompts * 3);
  const regions: number[] = [];
  for (let row = 0; row < prompts; row += 1) {
    const region = row % 2;
    regions.push(region);
    const vector = Array.from(
      { length: DIMENSIONS },
      (_, j) => (j === region ? 2 : 0) + random.normal() * 0.4,
    );
    const length = Math.hypot(...vector);
    values.set(
      vector.map((value) => value / length),
      row * DIMENSIONS,
    );
    const chances = region === 0 ? [good, bad, 0.5] : [bad, good, 0.5];
    scores.set(
      chances.map((chance) => Number(random.next() < chance)),
      row * 3,
    );
  }
  const points = { values, count: prompts, dimensions: DIMENSIONS };
  const asScores: Scores = { experts: ['a', 'b', 'c'], prompts, values: scores };
  return { points, scores: asScores, regions };
}

const learnedFrom = (
  { points, scores }: Pick<ReturnType<typeof world>, 'points' | 'scores'>,
  seed = 1,
): Promise<Quality> => learnQuality(points, scores, { seed }, onThisThread);

function choices(quality: Quality, { points }: ReturnType<typeof world>): number[] {
  return Array.from({ length: points.count }, (_, row) => {
    const fit = fitOf(quality, points.values.subarray(row * DIMENSIONS, (row + 1) * DIMENSIONS));
    return chosen(fit.scores, quality.best, quality.headStart);
  });
}

const share = (flags: readonly boolean[]): number => flags.filter(Boolean).length / flags.length;

describe('learning from scores', () => {
  it('sends prompts to the expert that is good where they lie, also those it has not seen', async () => {
    const quality = await learnedFrom(world(400, 1));
    const unseen = world(400, 2);
    const right = choices(quality, unseen).map((choice, row) => choice === unseen.regions[row]);
    expect(quality.evidence.significant).toBe(true);
    expect(share(right)).toBeGreaterThan(0.95);
  });

  it('says so, and keeps to the best single expert, where choosing gains nothing', async () => {
    const { points, scores } = world(400, 3, 0.5, 0.5);
    const even = Float64Array.from(scores.values, (value, at) =>
      at % 3 === 2 ? Math.max(value, Number(at % 5 > 0)) : value,
    );
    const quality = await learnedFrom({ points, scores: { ...scores, values: even } });
    expect(quality.experts[quality.best]).toBe('c');
    expect(quality.evidence.significant).toBe(false);
    const unseen = world(200, 4);
    expect(choices(quality, unseen).every((choice) => choice === quality.best)).toBe(true);
  });

  it('lets an expert join with a few dozen scored prompts', async () => {
    const full = world(600, 5);
    const values = Float64Array.from(full.scores.values, (value, at) =>
      at % 3 === 0 && Math.floor(at / 3) >= 60 ? Number.NaN : value,
    );
    const quality = await learnedFrom({ points: full.points, scores: { ...full.scores, values } });
    const unseen = world(400, 6);
    const chosenExperts = choices(quality, unseen);
    const inItsRegion = chosenExperts.filter((_, row) => unseen.regions[row] === 0);
    expect(share(inItsRegion.map((choice) => choice === 0))).toBeGreaterThan(0.9);
    const error = (expert: number): number =>
      fitOf(quality, full.points.values.subarray(0, DIMENSIONS)).standardErrors[expert]!;
    expect(error(0)).toBeGreaterThan(error(1));
  });

  it('bears one score a prompt, as feedback gives', async () => {
    const full = world(1_200, 7);
    const random = seededRandom(8);
    const kept = Array.from({ length: 1_200 }, () => random.below(3));
    const values = Float64Array.from(full.scores.values, (value, at) =>
      at % 3 === kept[Math.floor(at / 3)] ? value : Number.NaN,
    );
    const quality = await learnedFrom({ points: full.points, scores: { ...full.scores, values } });
    const unseen = world(300, 9);
    const right = choices(quality, unseen).map((choice, row) => choice === unseen.regions[row]);
    expect(share(right)).toBeGreaterThan(0.9);
  });

  it('says how far from the top the best expert may be expected, on nine of ten prompts, also of those it has not seen', async () => {
    const quality = await learnedFrom(world(600, 13, 0.8, 0.4));
    const { gap } = quality.evidence.coverage!;
    const unseen = world(2_000, 14, 0.8, 0.4);
    const sets: number[] = [];
    const covered: boolean[] = [];
    for (let row = 0; row < 2_000; row += 1) {
      const real = unseen.scores.values.subarray(3 * row, 3 * row + 3);
      if (Math.min(...real) === Math.max(...real)) continue;
      const { scores } = fitOf(
        quality,
        unseen.points.values.subarray(DIMENSIONS * row, DIMENSIONS * (row + 1)),
      );
      const inside = scores.map((score) => Number(score >= Math.max(...scores) - gap));
      sets.push(inside.reduce((sum, one) => sum + one, 0));
      covered.push(real.some((score, expert) => score === 1 && inside[expert] === 1));
    }
    expect(share(covered)).toBeGreaterThan(0.87);
    expect(share(covered)).toBeLessThan(0.95);
    expect(sets.reduce((sum, one) => sum + one, 0) / sets.length).toBeLessThan(2.5);
  });

  it('says nothing of that from a handful of prompts', async () => {
    expect((await learnedFrom(world(8, 15))).evidence.coverage).toBeNull();
  });

  it('is a function of its input and the seed', async () => {
    const [a, b] = [await learnedFrom(world(200, 10)), await learnedFrom(world(200, 10))];
    expect(a).toEqual(b);
  });

  it('is stored and read back', async () => {
    const seen = world(200, 11);
    const shares = seen.scores.values.map(() => 1 / 3);
    const quality = await learnQuality(seen.points, seen.scores, { seed: 1, shares }, onThisThread);
    const settings = JSON.parse(JSON.stringify(qualitySettings(quality)));
    expect(readQuality(qualityTensors(quality), settings)).toEqual(quality);
    const { 'quality.chain0.level0.offsets': _, ...cut } = qualityTensors(quality);
    expect(() => readQuality(cut, settings)).toThrow(/quality\.chain0\.level0\.offsets is missing/);
    expect(() => readQuality(qualityTensors(quality), { ...settings, experts: ['a'] })).toThrow(/do not fit/);
    const claims = { weight: 1, means: [0.5] };
    expect(() => readQuality(qualityTensors(quality), { ...settings, claims })).toThrow(/do not fit/);
  });

  describe('beside what texts claim', () => {
    /** What texts would say of each prompt that name the better expert of its region, or always the worse one. */
    const sharesOf = ({ regions }: ReturnType<typeof world>, wrong = false): Float64Array =>
      Float64Array.from(
        regions.flatMap((region) => ((region === 0) !== wrong ? [0.8, 0.1, 0.1] : [0.1, 0.8, 0.1])),
      );
    const learnedBeside = (
      { points, scores, regions }: ReturnType<typeof world>,
      shares: Float64Array,
    ): Promise<Quality> => {
      // Nothing can be learned from where prompts lie: they are told apart by the texts alone.
      const random = seededRandom(5);
      const values = points.values.map(() => random.normal());
      for (let at = 0; at < regions.length * DIMENSIONS; at += DIMENSIONS) {
        const length = Math.hypot(...values.subarray(at, at + DIMENSIONS));
        for (let j = at; j < at + DIMENSIONS; j += 1) values[j]! /= length;
      }
      return learnQuality({ ...points, values }, scores, { seed: 1, shares }, onThisThread);
    };

    it('lets them decide as far as they explain the scores', async () => {
      const seen = world(60, 3);
      const quality = await learnedBeside(seen, sharesOf(seen));
      expect(quality.claims!.weight).toBeGreaterThan(0.4);
      expect(quality.evidence.blend.claims).toBe(quality.claims!.weight);
      expect(quality.evidence.significant).toBe(true);
      const nowhere = new Float32Array(DIMENSIONS);
      const scores = (...shares: number[]) => fitOf(quality, nowhere, Float64Array.from(shares)).scores;
      expect(scores(0.8, 0.1, 0.1)[0]).toBeGreaterThan(scores(0.1, 0.8, 0.1)[0]! + 0.3);
      expect(chosen(scores(0.1, 0.8, 0.1), quality.best, quality.headStart)).toBe(1);
    });

    it('does not let them where the scores contradict them', async () => {
      const seen = world(60, 3);
      const quality = await learnedBeside(seen, sharesOf(seen, true));
      expect(quality.claims!.weight).toBe(0);
    });
  });

  it('gives a text without known words the plain means', async () => {
    const quality = await learnedFrom(world(200, 12));
    expect([...fitOf(quality, new Float32Array(DIMENSIONS)).scores]).toEqual([...quality.means]);
  });
});

describe('its parts', () => {
  it('tell easy prompts from good experts', () => {
    // score = expert + prompt, b unscored on the easy half: its raw mean would be too low.
    const experts = [0.6, 0.5];
    const ease = Array.from({ length: 100 }, (_, row) => (row < 50 ? 0.3 : -0.3));
    const values = Float64Array.from(
      ease.flatMap((easy, row) => [experts[0]! + easy, row < 45 ? Number.NaN : experts[1]! + easy]),
    );
    const { means } = effectsOf({ experts: ['a', 'b'], prompts: 100, values }, () => true);
    expect(means[0]! - means[1]!).toBeGreaterThan(0.05);
    expect(means[0]! - means[1]!).toBeLessThan(0.2);
  });

  it('shrink to nothing where clusters do not differ', () => {
    const random = seededRandom(1);
    const rest = Float64Array.from({ length: 2_000 }, () => random.normal());
    const labels = Uint32Array.from({ length: 1_000 }, (_, row) => row % 20);
    const effects = {
      ease: new Float64Array(1_000),
      rest,
      means: new Float64Array(2),
      variances: new Float64Array(2),
    };
    const rows = Array.from({ length: 1_000 }, (_, row) => row);
    const [level] = fitChain([{ centroids: new Float32Array(20), clusters: 20, labels }], effects, rows);
    const largest = Math.max(...level!.offsets.map(Math.abs));
    expect(largest).toBeLessThan(0.15);
  });

  it('regress as the closed form says', () => {
    const design = Float32Array.of(1, 1, 2, 1, 3, 1);
    const weights = fitRidge(design, 2, Float64Array.of(3, 5, 7), [0, 1, 2], [0])[0]!;
    expect(weights[0]).toBeCloseTo(2, 4);
    expect(weights[1]).toBeCloseTo(1, 4);
  });

  it('blend without negative weights', () => {
    const a = Float64Array.of(1, 0, 1, 0);
    const b = Float64Array.of(0, 1, 0, 1);
    expect(nonNegativeWeights([a, b], Float64Array.of(2, 0.5, 2, 0.5))).toEqual([2, 0.5]);
    expect(nonNegativeWeights([a, b], Float64Array.of(2, -1, 2, -1))).toEqual([2, 0]);
    expect(nonNegativeWeights([a, b], Float64Array.of(2, 0.5, Number.NaN, 0.5))).toEqual([2, 0.5]);
    expect(nonNegativeWeights([a, a], Float64Array.of(1, 0, 1, 0))[0]! + 0).toBeCloseTo(1);
  });

  it('keep near-duplicates in one fold', () => {
    const values = Float32Array.of(1, 0, 1, 0, 0, 1, Math.SQRT1_2, Math.SQRT1_2);
    const groups = groupsOf({ values, count: 4, dimensions: 2 }, new Uint32Array(4));
    expect(groups[0]).toBe(groups[1]);
    expect(new Set(groups).size).toBe(3);
    const folds = foldsOf(groups, 3, seededRandom(1));
    expect(folds[0]).toBe(folds[1]);
  });
});
