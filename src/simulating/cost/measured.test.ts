import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deployment } from '../deployment.ts';
import { DEFAULT_LIMITS } from '../memory.ts';
import { steadyState } from '../steady-state.ts';
import { fitMeasured, type MeasuredConstants } from './measured.ts';
import { stepCost } from './step.ts';

const constants = fc.record({
  firstToken: fc.double({ min: 0.02, max: 2, noNaN: true }),
  perPromptToken: fc.double({ min: 1e-5, max: 5e-3, noNaN: true }),
  perStep: fc.double({ min: 2e-3, max: 0.2, noNaN: true }),
  perSequence: fc.double({ min: 1e-5, max: 5e-3, noNaN: true }),
});

/** Requests as an engine of these constants answers them; every fifth with a hiccup. */
function requestsOf(c: Omit<MeasuredConstants, 'error'>, noise = 0) {
  return [
    ...[60, 60, 60, 60, 60, 900, 900, 900, 900, 900].map((promptTokens) => ({ running: 1, promptTokens })),
    ...[2, 4, 8].flatMap((running) => Array.from({ length: 5 }, () => ({ running, promptTokens: 60 }))),
  ].map((r, i) => {
    const late = i % 5 === 4 ? 1 + noise : 1;
    return {
      ...r,
      ttft: late * (c.firstToken + c.perPromptToken * r.promptTokens),
      tpot: late * (c.perStep + c.perSequence * r.running),
    };
  });
}

describe('constants of a measured engine', () => {
  it('are recovered, hiccups or not', () => {
    fc.assert(
      fc.property(constants, fc.constantFrom(0, 3), (c, noise) => {
        const found = fitMeasured(requestsOf(c, noise));
        for (const name of ['firstToken', 'perPromptToken', 'perStep', 'perSequence'] as const)
          expect(Math.abs(found[name] - c[name])).toBeLessThan(1e-6 + 0.01 * c[name]);
        expect(found.error).toBeLessThan(0.01);
      }),
    );
  });

  it('never say that more work takes less time', () => {
    const shrinking = requestsOf({ firstToken: 1, perPromptToken: -5e-4, perStep: 0.1, perSequence: -0.005 });
    expect(fitMeasured(shrinking)).toMatchObject({ perPromptToken: 0, perSequence: 0 });
    expect(() => fitMeasured(shrinking.slice(0, 3))).toThrow(/two prompt lengths/);
  });

  it('are what a deployment is then priced by', () => {
    const measured = { firstToken: 0.5, perPromptToken: 1e-3, perStep: 0.05, perSequence: 0.01, error: 0 };
    const d = { ...deployment({ model: 'llama-3.1-8b', gpu: 'h100', precision: 'fp8' }), measured };
    const cost = stepCost(d);
    const lone = {
      decodeSequences: 0,
      decodeContext: 0,
      prefillTokens: 100,
      prefillSequences: 1,
      prefillPairs: 5050,
      logitRows: 1,
    };
    expect(cost.seconds(lone) + cost.perRequest).toBeCloseTo(0.5 + 0.1);
    const { tpotSeconds } = steadyState(d, DEFAULT_LIMITS, { promptTokens: 1, outputTokens: 1000 }, 10);
    expect(Math.abs(tpotSeconds / 0.15 - 1)).toBeLessThan(0.02);
  });
});
