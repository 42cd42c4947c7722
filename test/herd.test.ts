/** Several gateways over stale readings, simulated with the real formula and the real choice of replica. */
import { describe, expect, it } from 'vitest';
import { type HerdSetting, imbalance } from './support/herd.ts';

const BASE: HerdSetting = {
  gateways: 4,
  replicas: 8,
  rate: 20,
  service: 2000,
  poll: 1000,
  foreign: 0,
  seed: 1,
};
const MANY: HerdSetting = { ...BASE, gateways: 16, rate: 5 };

describe('several gateways with polled load', () => {
  it('herd by polled load alone: one replica gets far more than its share', () => {
    expect(imbalance({ ...BASE, gateways: 1 }, 'polled')).toBeGreaterThan(2);
    expect(imbalance(BASE, 'polled')).toBeGreaterThan(1.5);
  });

  it.each([
    ['one gateway', { ...BASE, gateways: 1 }],
    ['four gateways', BASE],
    ['sixteen gateways', MANY],
    ['sixteen gateways that read every five seconds', { ...MANY, poll: 5000 }],
  ])('invariant 18: %s, and polling causes no herd', (_, setting) => {
    const combined = imbalance(setting, 'own+read+share');
    expect(combined).toBeLessThan(1.3);
    // No worse than gateways that read nothing and count their own requests only.
    expect(combined).toBeLessThan(imbalance(setting, 'own') * 1.05);
  });

  it.each([
    ['four gateways', { ...BASE, foreign: 15 }],
    ['sixteen gateways', { ...MANY, foreign: 15 }],
  ])('%s avoid the load of others at one replica, which their own counts do not show', (_, setting) => {
    expect(imbalance(setting, 'own+read+share')).toBeLessThan(imbalance(setting, 'own') * 0.8);
  });
});
