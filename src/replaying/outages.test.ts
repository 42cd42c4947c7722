import { expect, it } from 'vitest';
import type { DecisionLine } from '../serving/records/record.ts';
import { outagesOf } from './outages.ts';

const decided = (home: string, chosen: string, why: string | null = null) =>
  ({ home, chosen, spilled_for: why }) as DecisionLine;

it('has an expert out from the first prompt that it could not take until it is chosen again', () => {
  const lines = [
    decided('code', 'code'),
    decided('code', 'rest', 'unavailable'),
    decided('law', 'law'),
    decided('law', 'rest', 'cost'),
    decided('code', 'code'),
    decided('code', 'code'),
  ];
  expect(outagesOf(lines, ['code', 'law', 'rest'])).toEqual([[], [0], [0], [0], [], []]);
});

it('knows nothing of experts that the config has no more, and of lines of earlier versions', () => {
  const { home: _, ...earlier } = decided('code', 'rest', 'unavailable');
  expect(
    outagesOf([decided('gone', 'rest', 'unavailable'), earlier as DecisionLine], ['code', 'rest']),
  ).toEqual([[], []]);
});
