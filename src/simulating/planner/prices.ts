/**
 * What a GPU costs an hour when nobody says: round figures of what clouds ask on demand, to be edited or overridden.
 * They are no quotes, and nothing depends on them but the order and the costs that a plan shows.
 */
import { UserError } from '../../core/errors.ts';
import { findGpu, GPU_NAMES } from '../hardware/gpu.ts';

/** When the table below was written; prices move by tens of percents a year. */
export const PRICES_OF = '2025-06';

/** US dollars per GPU and hour. */
const PRICES: Readonly<Record<string, number>> = {
  h100: 2.5,
  'h100-nvl': 2.3,
  'h100-pcie': 2.0,
  h200: 3.4,
  gh200: 2.3,
  a100: 1.6,
  'a100-pcie': 1.4,
  l40s: 1.0,
  l4: 0.6,
  a10g: 0.8,
  'rtx-4090': 0.4,
  'rtx-pro-6000': 1.8,
  b200: 5.0,
  b300: 6.0,
  gb200: 6.0,
  mi300x: 6.0,
};

export type Prices = Readonly<Record<string, number>>;

/** The table, or what is said instead: `2.5` for every GPU, `h100=2.5,h200=3.4` for some. @throws {UserError} */
export function pricesFrom(text: string | undefined): Prices {
  if (text === undefined) return PRICES;
  const amount = (value: string): number => {
    const number = Number(value);
    if (number > 0 && Number.isFinite(number)) return number;
    throw new UserError(`--price: "${value}" is no price above 0 in US dollars per GPU and hour.`);
  };
  if (!text.includes('=')) return Object.fromEntries(GPU_NAMES.map((name) => [name, amount(text)]));
  const given = text.split(',').map((part): [string, number] => {
    const [name = '', value = ''] = part.split('=').map((word) => word.trim());
    return [findGpu(name).name, amount(value)];
  });
  return { ...PRICES, ...Object.fromEntries(given) };
}
