/** What a plan's dollars are: prices of single GPUs, or list prices of whole machines. */
import type { Deployment } from '../../simulating/deployment.ts';
import type { Demand } from '../../simulating/planner/demand.ts';
import {
  describeRent,
  type Instance,
  instancesOf,
  LISTED,
  rentFor,
  requireRent,
} from '../../simulating/planner/instances.ts';
import { deployments, type SearchSpace } from '../../simulating/planner/placements.ts';
import { pricesFrom } from '../../simulating/planner/prices.ts';
import { UsageError } from '../usage-error.ts';
import { namedList } from './options.ts';

export interface PriceOptions {
  readonly price?: string;
  readonly cloud?: string;
}

/** Copies that fill any machine of the table, so that none of its GPUs is paid for in vain. */
const FULL = 8;

/** @throws {UsageError} beside prices of single GPUs */
export function rentOption({ cloud, price }: PriceOptions): readonly Instance[] | null {
  if (cloud === undefined) return null;
  if (price !== undefined) throw new UsageError('--cloud, --price: a price is one or the other; keep one.');
  return instancesOf(namedList(cloud));
}

/** One deployment's price, and where it is from, as a sentence that may be empty. @throws {UserError} where nobody rents it out */
export function priceOfOne(
  d: Deployment,
  options: PriceOptions,
): { readonly usdPerGpuHour: number | undefined; readonly priced: string } {
  const instances = rentOption(options);
  if (!instances) return { usdPerGpuHour: pricesFrom(options.price)[d.gpu.name], priced: '' };
  const full = requireRent(d, FULL, instances);
  return {
    usdPerGpuHour: full.usdPerHour / FULL / d.tensorParallel,
    priced: `Priced as its share of ${describeRent(full)}, list price of ${LISTED}, no GPU idle.`,
  };
}

/** @throws {UserError} where some candidates have a price and others none, so that they cannot be compared */
export function requirePrices(space: SearchSpace, { prices, instances }: Demand): void {
  if (instances) {
    for (const { name } of space.gpus) {
      const own = deployments(space).filter(({ gpu }) => gpu.name === name);
      if (!own.some((d) => rentFor(d, 1, instances))) requireRent(own[0]!, 1, instances);
    }
    return;
  }
  const missing = space.gpus.filter(({ name }) => prices[name] === undefined).map(({ name }) => name);
  if (missing.length > 0 && missing.length < space.gpus.length)
    throw new UsageError(
      `--price: the table has none for ${missing.join(', ')}, so the GPUs cannot be compared; add --price ${missing.map((name) => `${name}=…`).join(',')}.`,
    );
}
