import { expect, it } from 'vitest';
import { vectorKernels } from './vector-kernels.ts';

it('compiles where Node has SIMD, which is all that is supported, and gives the memory asked for', () => {
  expect(vectorKernels(70_000)?.memory.byteLength).toBe(131_072);
});

it('is absent where the memory cannot be had', () => {
  expect(vectorKernels(2 ** 33)).toBeNull();
});
