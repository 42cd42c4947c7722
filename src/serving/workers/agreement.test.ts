import { describe, expect, it } from 'vitest';
import { Agreement } from './agreement.ts';

/** Whether it has ended, without waiting for it. */
const verdictNow = (agreement: Agreement) => Promise.race([agreement.verdict, Promise.resolve('open')]);

describe('an agreement', () => {
  it('is reached when the last has affirmed, and not before', async () => {
    const agreement = new Agreement([1, 2]);
    agreement.answered(2, null);
    agreement.answered(2, null);
    expect(await verdictNow(agreement)).toBe('open');
    agreement.answered(1, null);
    expect(await agreement.verdict).toBeNull();
  });

  it('does not wait for who is gone, or for nobody', async () => {
    const agreement = new Agreement([1, 2]);
    agreement.answered(1, null);
    agreement.gone(2);
    expect(await agreement.verdict).toBeNull();
    expect(await new Agreement([]).verdict).toBeNull();
  });

  it('fails with the first problem, whatever comes later', async () => {
    const agreement = new Agreement([1, 2, 3]);
    agreement.answered(1, null);
    agreement.answered(2, 'no');
    agreement.answered(3, null);
    agreement.fail('late');
    expect(await agreement.verdict).toBe('no');
  });
});
