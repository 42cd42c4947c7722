/**
 * Whole machines that clouds rent by the hour: list prices on demand, to be edited. They are no quotes; discounts,
 * reservations and spot prices are what one negotiates, and regions differ by a fifth.
 */
import { UserError } from '../../core/errors.ts';
import { type Deployment, describeDeployment } from '../deployment.ts';
import { nearest } from '../unknown-name.ts';

/**
 * When the table was written, and from what: SkyPilot's public catalog (github.com/skypilot-org/skypilot-catalog, schema
 * 8), US regions where prices differ; its versions of AWS e385a0d, OCI 0588751, Lambda 95eaf48, Nebius 0082b04, Verda
 * 538675a and RunPod 46062ac.
 */
export const LISTED = '2026-11';

export interface Instance {
  readonly cloud: string;
  readonly name: string;
  readonly gpu: string;
  readonly gpus: number;
  /** US dollars an hour for the whole machine. */
  readonly usdPerHour: number;
}

type Row = readonly [name: string, gpu: string, gpus: number, usdPerHour: number];

const TABLE: Readonly<Record<string, readonly Row[]>> = {
  aws: [
    ['g5.2xlarge', 'a10g', 1, 1.212],
    ['g5.48xlarge', 'a10g', 8, 16.288],
  ],
  lambda: [
    ['gpu_1x_gh200', 'gh200', 1, 1.49],
    ['gpu_4x_h100_sxm5', 'h100', 4, 12.36],
    ['gpu_8x_h100_sxm5', 'h100', 8, 23.92],
    ['gpu_2x_b200_sxm6', 'b200', 2, 10.38],
    ['gpu_8x_b200_sxm6', 'b200', 8, 39.92],
  ],
  nebius: [
    ['gpu-l40s-a_1gpu-8vcpu-32gb', 'l40s', 1, 1.5484],
    ['gpu-l40s-d_4gpu-128vcpu-768gb', 'l40s', 4, 9.1376],
    ['gpu-h100-sxm_1gpu-16vcpu-200gb', 'h100', 1, 2.95],
    ['gpu-h100-sxm_8gpu-128vcpu-1600gb', 'h100', 8, 23.6],
    ['gpu-h200-sxm_1gpu-16vcpu-200gb', 'h200', 1, 3.5],
    ['gpu-h200-sxm_8gpu-128vcpu-1600gb', 'h200', 8, 28],
    ['gpu-b200-sxm_8gpu-160vcpu-1792gb', 'b200', 8, 44],
  ],
  oci: [
    ['BM.GPU.A100-v2.8', 'a100', 8, 32],
    ['BM.GPU.L40S.4', 'l40s', 4, 14],
    ['BM.GPU.H100.8', 'h100', 8, 80],
    ['BM.GPU.H200.8', 'h200', 8, 80],
    ['BM.GPU.B200.8', 'b200', 8, 112],
    ['BM.GPU.B300.8', 'b300', 8, 120],
    ['BM.GPU.GB200.4', 'gb200', 4, 64],
    ['BM.GPU.MI300X.8', 'mi300x', 8, 48],
    ['BM.GPU.RTXPRO.8', 'rtx-pro-6000', 8, 36],
  ],
  runpod: [
    ['1x_A100-80GB_SECURE', 'a100-pcie', 1, 1.64],
    ['4x_A100-80GB_SECURE', 'a100-pcie', 4, 6.56],
  ],
  verda: [
    ['1A100.22V', 'a100', 1, 1.16],
    ['8A100.176V', 'a100', 8, 9.28],
    ['1L40S.20V', 'l40s', 1, 0.91],
    ['4L40S.80V', 'l40s', 4, 3.66],
    ['1RTXPRO6000.30V', 'rtx-pro-6000', 1, 1.39],
    ['8RTXPRO6000.240V', 'rtx-pro-6000', 8, 11.12],
    ['1H100.80S.30V', 'h100', 1, 1.99],
    ['8H100.80S.176V', 'h100', 8, 15.92],
    ['1H200.141S.44V', 'h200', 1, 2.59],
    ['8H200.141S.176V', 'h200', 8, 20.72],
    ['1B200.30V', 'b200', 1, 3.79],
    ['8B200.240V', 'b200', 8, 30.32],
    ['1B300.30V', 'b300', 1, 4.95],
    ['8B300.240V', 'b300', 8, 39.6],
  ],
};

export const INSTANCES: readonly Instance[] = Object.entries(TABLE).flatMap(([cloud, rows]) =>
  rows.map(([name, gpu, gpus, usdPerHour]) => ({ cloud, name, gpu, gpus, usdPerHour })),
);

export const CLOUDS: readonly string[] = Object.keys(TABLE);

/** Instances of these clouds, or of all of them. @throws {UserError} for a cloud that the table lacks */
export function instancesOf(clouds: readonly string[]): readonly Instance[] {
  for (const cloud of clouds)
    if (cloud !== 'any' && !CLOUDS.includes(cloud))
      throw new UserError(`--cloud: "${cloud}" is not known.${nearest(cloud, [...CLOUDS, 'any'])}`);
  return INSTANCES.filter(({ cloud }) => clouds.includes('any') || clouds.includes(cloud));
}

/** So many machines of one kind. */
export interface Rent {
  readonly instance: Instance;
  readonly count: number;
  readonly usdPerHour: number;
}

/** The cheapest machines of one kind that hold all copies, each copy within one machine; null where none does. */
export function rentFor(d: Deployment, copies: number, instances: readonly Instance[]): Rent | null {
  const rents = instances
    .filter(({ gpu, gpus }) => gpu === d.gpu.name && gpus >= d.tensorParallel)
    .map((instance): Rent => {
      const count = Math.ceil(copies / Math.floor(instance.gpus / d.tensorParallel));
      return { instance, count, usdPerHour: count * instance.usdPerHour };
    });
  return rents.toSorted((a, b) => a.usdPerHour - b.usdPerHour)[0] ?? null;
}

/** @throws {UserError} where none of the instances holds a copy, naming the clouds that have one that does */
export function requireRent(d: Deployment, copies: number, instances: readonly Instance[]): Rent {
  const rent = rentFor(d, copies, instances);
  if (rent) return rent;
  const elsewhere = INSTANCES.filter(({ gpu, gpus }) => gpu === d.gpu.name && gpus >= d.tensorParallel);
  const clouds = [...new Set(elsewhere.map(({ cloud }) => cloud))].join(', ');
  throw new UserError(
    `--cloud: no machine of the table holds ${describeDeployment(d)}; ` +
      (clouds ? `these clouds have one: ${clouds}.` : 'leave --cloud out and give a price: --price.'),
  );
}

/** `3 x lambda gpu_8x_h100_sxm5`. */
export function describeRent({ instance, count }: Rent): string {
  return `${count} x ${instance.cloud} ${instance.name}`;
}
