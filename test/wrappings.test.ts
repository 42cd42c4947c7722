/** What programs put around a question does not decide who answers it. */
import { expect, it } from 'vitest';
import { judgeWrappings } from '../evaluation/decisions/wrapping.ts';
import { loadRouterModel } from '../src/router.ts';

const MOST_MOVED = 3;

it('of thirty questions at least 27 keep their expert inside of each wrapping', async () => {
  const results = await judgeWrappings(await loadRouterModel());
  expect(results.length).toBeGreaterThan(35);
  expect(results.filter(({ moved }) => moved.length > MOST_MOVED)).toEqual([]);
});
