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
import { classify, classifyAll } from './classify.ts';
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

describe('a decision by an asynchronous embedding', () => {
  const later = (): RouterModel => {
    const { embedding } = model;
    return {
      ...model,
      embedding: {
        id: 'later',
        dimensions: embedding.dimensions,
        asynchronous: true,
        embed: async (text) => embedding.embed(text),
        sections: () => ({}),
      },
    };
  };
  const texts = ['stir the soup', '', '東京の観光地'].map(plainText);

  it('is a promise of the same decision; by a synchronous one it is no promise', async () => {
    const now = classifyAll(model, texts);
    expect(Array.isArray(now)).toBe(true);
    const promised = classifyAll(later(), texts);
    expect(promised).toBeInstanceOf(Promise);
    expect(await promised).toEqual(now);
  });

  it('is refused where it would have to be made at once', () => {
    expect(() => classify(later(), texts[0]!)).toThrow(/'later' is asynchronous/);
  });

  it('has no words to explain it by, where the embedding cannot tell them', () => {
    const told = explain(later(), texts[0]!, classify(model, texts[0]!));
    expect(told).toEqual({ for: [], against: [], constant: 1 });
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

  it('compares with the nearest of the rivals, and adds up to the whole lead over it', () => {
    const text = plainText('add salt to the python soup');
    const classified = classify(model, text);
    const farthest = classified.distances.indexOf(Math.max(...classified.distances));
    const told = explain(model, text, classified, Number.POSITIVE_INFINITY, (one) => one === farthest);
    const sum = [...told.for, ...told.against].reduce((total, one) => total + one.weight, told.constant);
    expect(sum).toBeCloseTo(1, 3);
    expect(told).not.toEqual(explain(model, text, classified, Number.POSITIVE_INFINITY));
    // Without one, with the next nearest of all.
    const without = explain(model, text, classified, Number.POSITIVE_INFINITY, () => false);
    expect(without).toEqual(explain(model, text, classified, Number.POSITIVE_INFINITY));
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
      /not a safetensors/,
    );
    const text = Buffer.from(bytes).toString('latin1').replace('"version":"2"', '"version":"9"');
    expect(() => readRouterModel(Buffer.from(text, 'latin1'))).toThrow(/version 9.*update/);
    const old = Buffer.from(bytes).toString('latin1').replace('"version":"2"', '"version":"1"');
    expect(() => readRouterModel(Buffer.from(old, 'latin1'))).toThrow(/version 1.*train it again/);
    expect(() => readRouterModel(bytes.subarray(0, 20))).toThrow(UserError);
  });

  it('is refused, with the reason, when it needs an embedding that this program lacks', () => {
    const { embedding } = model;
    const other = { ...embedding, id: 'unheard-of' } as typeof embedding;
    expect(() => readRouterModel(writeRouterModel({ ...model, embedding: other }))).toThrow(
      /needs the embedding 'unheard-of', but this program only has lexical/,
    );
    const bare = { ...other, id: 'lexical', sections: () => ({}) } as typeof embedding;
    expect(() => readRouterModel(writeRouterModel({ ...model, embedding: bare }))).toThrow(
      /section 'lexical' is missing/,
    );
  });
});
