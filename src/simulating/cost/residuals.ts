/**
 * How far predictions were off on published measurements that the fit had not seen, by configuration.
 * Written by `npm run bench:simulator`; do not edit by hand. Logarithms of measured over predicted.
 */
import type { Residual } from './bands.ts';

export const RESIDUALS: readonly Residual[] = [];
