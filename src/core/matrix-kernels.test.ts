import { expect, it } from 'vitest';
import { matrixKernels } from './matrix-kernels.ts';

it('are there where Node has SIMD, which is all that is supported', () => {
  expect(matrixKernels('distances')).not.toBeNull();
});

it('lend their memory to one owner at a time, and refuse what cannot be had', () => {
  const kernels = matrixKernels('rows')!;
  const [first, second] = [{}, {}];
  expect(kernels.claim(first, 100_000)!.byteLength).toBeGreaterThanOrEqual(100_000);
  kernels.claim(second, 10);
  expect([kernels.belongsTo(first), kernels.belongsTo(second)]).toEqual([false, true]);
  expect(kernels.claim(first, 2 ** 33)).toBeNull();
});
