/** Projects a sample of the prompts to two dimensions by exact t-SNE (van der Maaten & Hinton, JMLR 2008). */

import { seededRandom } from '../../../core/random.ts';
import { squaredDistance } from '../../../deciding/clustering/distances.ts';
import { type Points, rowsOf } from '../../../deciding/clustering/points.ts';
import { shuffle } from '../split.ts';

const MOST = 1_200;
const PERPLEXITY = 30;
const ITERATIONS = 350;
const EXAGGERATED = 100;

export interface Mapped {
  readonly x: number;
  readonly y: number;
  readonly cluster: number;
}

/** At most 1,200 of the points, coordinates scaled to −1..1. */
export function mapPoints(points: Points, labels: Uint32Array, seed: number): readonly Mapped[] {
  const random = seededRandom(seed);
  const rows = Array.from({ length: points.count }, (_, row) => row);
  shuffle(rows, random);
  const chosen = rows.slice(0, MOST).sort((a, b) => a - b);
  const positions = tsne(
    rowsOf(points, chosen),
    Float64Array.from({ length: chosen.length * 2 }, () => random.normal() * 1e-2),
  );
  let reach = 1e-9;
  for (const value of positions) reach = Math.max(reach, Math.abs(value));
  const scaled = (value: number): number => Number((value / reach).toFixed(4));
  return chosen.map((row, index) => ({
    x: scaled(positions[2 * index]!),
    y: scaled(positions[2 * index + 1]!),
    cluster: labels[row]!,
  }));
}

/** Gradient descent with momentum from the given positions, which are updated in place. */
function tsne(points: Points, positions: Float64Array): Float64Array {
  const n = points.count;
  if (n < 3) return positions;
  const p = similarities(points);
  const velocity = new Float64Array(2 * n);
  const kernel = new Float64Array(n * n);
  for (let iteration = 0; iteration < ITERATIONS; iteration += 1) {
    const exaggeration = iteration < EXAGGERATED ? 8 : 1;
    const momentum = iteration < EXAGGERATED ? 0.5 : 0.8;
    const total = fillKernel(positions, kernel, n);
    for (let i = 0; i < n; i += 1) {
      let gx = 0;
      let gy = 0;
      for (let j = 0; j < n; j += 1) {
        const k = kernel[i * n + j]!;
        const force = (exaggeration * p[i * n + j]! - k / total) * k;
        gx += force * (positions[2 * i]! - positions[2 * j]!);
        gy += force * (positions[2 * i + 1]! - positions[2 * j + 1]!);
      }
      const step = (4 * n) / 12;
      velocity[2 * i] = momentum * velocity[2 * i]! - step * gx;
      velocity[2 * i + 1] = momentum * velocity[2 * i + 1]! - step * gy;
    }
    for (let at = 0; at < 2 * n; at += 1) positions[at]! += velocity[at]!;
  }
  return positions;
}

function fillKernel(positions: Float64Array, kernel: Float64Array, n: number): number {
  let total = 0;
  for (let i = 0; i < n; i += 1) {
    for (let j = i + 1; j < n; j += 1) {
      const dx = positions[2 * i]! - positions[2 * j]!;
      const dy = positions[2 * i + 1]! - positions[2 * j + 1]!;
      const value = 1 / (1 + dx * dx + dy * dy);
      kernel[i * n + j] = value;
      kernel[j * n + i] = value;
      total += 2 * value;
    }
  }
  return Math.max(total, 1e-12);
}

/** Symmetric similarities that sum to one; each point's bandwidth gives it about thirty neighbours. */
function similarities({ values, count: n, dimensions }: Points): Float64Array {
  const distances = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) {
    for (let j = i + 1; j < n; j += 1) {
      const squared = squaredDistance(values, i * dimensions, values, j * dimensions, dimensions);
      distances[i * n + j] = squared;
      distances[j * n + i] = squared;
    }
  }
  const target = Math.log(Math.min(PERPLEXITY, (n - 1) / 3));
  const p = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) fillRow(distances, p, i, n, target);
  const symmetric = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j < n; j += 1)
      symmetric[i * n + j] = Math.max((p[i * n + j]! + p[j * n + i]!) / (2 * n), 1e-12);
  }
  return symmetric;
}

/** Finds by bisection the precision that gives the row the target entropy. */
function fillRow(distances: Float64Array, p: Float64Array, i: number, n: number, target: number): void {
  let precision = 1;
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 40; attempt += 1) {
    let sum = 0;
    let weighted = 0;
    for (let j = 0; j < n; j += 1) {
      const value = i === j ? 0 : Math.exp(-distances[i * n + j]! * precision);
      p[i * n + j] = value;
      sum += value;
      weighted += value * distances[i * n + j]!;
    }
    const entropy = Math.log(Math.max(sum, 1e-300)) + (precision * weighted) / Math.max(sum, 1e-300);
    for (let j = 0; j < n; j += 1) p[i * n + j]! /= Math.max(sum, 1e-300);
    if (Math.abs(entropy - target) < 1e-4) return;
    if (entropy > target) low = precision;
    else high = precision;
    precision = Number.isFinite(high) ? (low + high) / 2 : precision * 2;
  }
}
