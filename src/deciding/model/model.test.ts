import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../core/errors.ts';
import { seededRandom } from '../../core/random.ts';
import { onThisThread } from '../../core/tasks.ts';
import { corpusOf } from '../../learning/training/corpus.ts';
import { fitModel } from '../../learning/training/fit.ts';
import { plainText } from '../text/routable.ts';
import { readRouterModel, writeRouterModel } from './artefact.ts';
import { classify } from './classify.ts';
import { explain } from './explain.ts';
import type { RouterModel } from './router-model.ts';

const TOPICS = [
  'bake bread oven dough soup salt stir cake butter sugar recipe pan'.split(' '),
  'python function code bug error list loop compile string return class test'.split(' '),
  '東京 天気 観光 歴史 京都 日本 地図 電車 料理 神社'.split(' '),
];

let model: RouterModel;

beforeAll(async () => {
  const random = seededRandom(1);
  const prompts = Array.from({ length: 600 }, (_, index) => {
    const words = TOPICS[index % 3]!;
    return Array.from({ length: 6 }, () => words[random.below(words.length)]).join(' ');
  });
  const options = { clusters: 3, dimensions: 8, vocabulary: 2_000, restarts: 2, seed: 1 };
  ({ model } = await fitModel(corpusOf(prompts, tmpdir()), options, onThisThread));
});

describe('a decision', () => {
  it('puts like prompts together and unlike ones apart', () => {
    const of = (text: string): number => classify(model, plainText(text)).cluster;
    expect(of('add salt to the soup')).toBe(of('bake the cake in the oven'));
    expect(of('python function error')).not.toBe(of('add salt to the soup'));
    expect(of('東京の観光地')).not.toBe(of('add salt to the soup'));
  });

  it('knows what is like nothing it was trained on', () => {
    for (const text of ['', '😀', 'สวัสดี', 'Ж', ' '.repeat(1_000_000)]) {
      expect(classify(model, plainText(text)).outside).toBe(true);
    }
  });

  it('never throws, keeps confidence within 0 and 1, and names the nearest centroid', () => {
    const units = fc.array(fc.integer({ min: 0, max: 0xffff })).map((list) => String.fromCharCode(...list));
    fc.assert(
      fc.property(fc.oneof(units, fc.string(), fc.constantFrom('bread', '東京', 'def f():')), (text) => {
        const { cluster, distances, margin, confidence } = classify(model, plainText(text));
        expect(distances[cluster]).toBe(Math.min(...distances));
        expect(margin).toBeGreaterThanOrEqual(0);
        expect(confidence >= 0 && confidence <= 1).toBe(true);
      }),
    );
  });

  it('is made on a unit vector', async () => {
    const length = Math.hypot(...(await model.embedding.embed(plainText('add salt to the soup'))).vector);
    expect(length).toBeCloseTo(1, 5);
  });
});

describe('an explanation', () => {
  it('adds up to the whole lead', () => {
    for (const prompt of ['add salt to the python soup', '東京のパン bake', 'def oven(list): return 12']) {
      const text = {
        segments: [
          { text: prompt, weight: 1 },
          { text: 'fix the cake', weight: 0.2 },
        ],
        unreadParts: 0,
      };
      const told = explain(model, text, classify(model, text), Number.POSITIVE_INFINITY);
      const sum = [...told.for, ...told.against].reduce((total, one) => total + one.weight, told.constant);
      expect(sum).toBeCloseTo(1, 3);
    }
  });

  it('names words, not the spaces between them', () => {
    const text = plainText('add salt to the soup');
    const told = explain(model, text, classify(model, text), Number.POSITIVE_INFINITY);
    for (const { word } of [...told.for, ...told.against]) expect(word).toMatch(/^[a-z]+$/);
  });
});

describe('the file', () => {
  it('reads back as it was written and decides the same', () => {
    const again = readRouterModel(writeRouterModel(model));
    expect(again.id).toBe(model.id);
    expect(again.names).toEqual(model.names);
    expect(classify(again, plainText('stir the soup'))).toEqual(classify(model, plainText('stir the soup')));
  });

  it('reads from a Buffer that starts at an odd place', () => {
    const bytes = writeRouterModel(model);
    const shifted = Buffer.alloc(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(readRouterModel(shifted.subarray(3)).id).toBe(model.id);
  });

  it('is refused, with the reason, when cut short, flipped, foreign or newer', () => {
    const bytes = writeRouterModel(model);
    for (const length of [0, 7, 20, 500, bytes.length - 1]) {
      expect(() => readRouterModel(bytes.subarray(0, length))).toThrow(/truncated|damaged/);
    }
    const flipped = Uint8Array.from(bytes);
    flipped[flipped.length - 5]! ^= 1;
    expect(() => readRouterModel(flipped)).toThrow(/checksum/);
    expect(() => readRouterModel(new TextEncoder().encode('GGUF and much more after it'))).toThrow(
      /no safetensors/,
    );
    const text = Buffer.from(bytes).toString('latin1').replace('"version":"2"', '"version":"9"');
    expect(() => readRouterModel(Buffer.from(text, 'latin1'))).toThrow(/version 9.*update/);
    expect(() => readRouterModel(bytes.subarray(0, 20))).toThrow(UserError);
  });
});
