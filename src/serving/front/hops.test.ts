import { expect, it } from 'vitest';
import { HOPS_HEADER, nextHop } from './hops.ts';

const next = (passed?: string): string =>
  nextHop({ headers: passed === undefined ? {} : { [HOPS_HEADER]: passed } });

it('counts the routers that a request has passed', () => {
  expect([next(), next('0'), next('3')]).toEqual(['1', '1', '4']);
});

it.each(['4', '5', '-1', '-1000000', '0.5', '1e0', '', ' ', 'x', '1, 1', '0x1'])(
  'refuses %j, which is too many or no number of a router',
  (passed) => {
    expect(() => next(passed)).toThrow('has passed 4 routers already');
  },
);
