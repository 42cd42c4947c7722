import { expect, it } from 'vitest';
import { AdapterLoad } from './adapter-load.ts';

it('is what the first token takes longer where the adapter is loaded first, once both were seen', () => {
  const load = new AdapterLoad();
  load.observe(true, 2_100);
  expect(load.ms).toBe(null);
  load.observe(false, 100);
  expect(load.ms).toBe(2_000);
  load.observe(true, 1_100);
  expect(load.ms).toBe(1_750);
  load.observe(false, 9_000);
  expect(load.ms).toBe(0);
});
