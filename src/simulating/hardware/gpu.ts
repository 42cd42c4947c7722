/**
 * Data sheets of the GPUs the cost model knows: memory, bandwidth, arithmetic, links; dense figures throughout.
 * What is reached in practice is fitted, in `cost/constants.ts`.
 */
import { UserError } from '../../core/errors.ts';
import { nearestName } from '../../core/suggest.ts';

/** Formats a tensor core multiplies in. */
export type Arithmetic = 'bf16' | 'fp8' | 'int8' | 'fp4';

export interface Gpu {
  readonly name: string;
  readonly label: string;
  /** Memory the driver reports, bytes (more than the marketing figure: 80 GB cards carry 80 GiB). */
  readonly memoryBytes: number;
  /** Peak memory bandwidth, bytes per second. */
  readonly bandwidth: number;
  /** Peak dense tensor-core operations per second; absent where the hardware lacks the format. */
  readonly peak: Readonly<Partial<Record<Arithmetic, number>>>;
  /** Link to its neighbours, bytes per second and direction: NVLink, or PCIe where there is none. */
  readonly linkBandwidth: number;
  readonly link: 'nvlink' | 'pcie';
  /** NVLink joins no more than so many of these; a larger group talks over PCIe. */
  readonly bridged?: number;
  readonly vendor?: 'amd';
  /** Whose fitted efficiencies apply. */
  readonly family: GpuFamily;
  /** Nothing of this very card was measured: its data sheet, with the efficiencies of a relative. */
  readonly roofline?: boolean;
}

/** The generation that multiplies in 4 bit. */
export function isBlackwell({ peak }: Gpu): boolean {
  return peak.fp4 !== undefined;
}

/** GPUs whose kernels were measured. */
export type GpuFamily = 'h100' | 'h200' | 'a100' | 'l40s' | 'b200' | 'gb200' | 'b300' | 'rtx-pro-6000';

const MIB = 1024 ** 2;
const T = 1e12;
const G = 1e9;

/** Sources: NVIDIA data sheets as gathered by AIConfigurator's system files (Apache-2.0); memory by nvidia-smi. */
export const GPUS: readonly Gpu[] = [
  {
    name: 'h100',
    label: 'H100 SXM 80 GB',
    memoryBytes: 81559 * MIB,
    bandwidth: 3.35 * T,
    peak: { bf16: 989 * T, fp8: 1978 * T, int8: 1978 * T },
    linkBandwidth: 450 * G,
    link: 'nvlink',
    family: 'h100',
  },
  {
    name: 'h200',
    label: 'H200 SXM 141 GB',
    memoryBytes: 143771 * MIB,
    bandwidth: 4.8 * T,
    peak: { bf16: 989 * T, fp8: 1978 * T, int8: 1978 * T },
    linkBandwidth: 450 * G,
    link: 'nvlink',
    family: 'h200',
  },
  {
    name: 'gh200',
    label: 'GH200 96 GB',
    memoryBytes: 97871 * MIB,
    bandwidth: 4.0 * T,
    peak: { bf16: 989 * T, fp8: 1978 * T, int8: 1978 * T },
    linkBandwidth: 450 * G,
    link: 'nvlink',
    family: 'h200',
  },
  {
    name: 'h100-pcie',
    label: 'H100 PCIe 80 GB',
    memoryBytes: 81559 * MIB,
    bandwidth: 2.0 * T,
    peak: { bf16: 756 * T, fp8: 1513 * T, int8: 1513 * T },
    linkBandwidth: 64 * G,
    link: 'pcie',
    family: 'h100',
    roofline: true,
  },
  {
    name: 'h100-nvl',
    label: 'H100 NVL 94 GB',
    memoryBytes: 95830 * MIB,
    bandwidth: 3.9 * T,
    peak: { bf16: 835 * T, fp8: 1671 * T, int8: 1671 * T },
    linkBandwidth: 300 * G,
    link: 'nvlink',
    bridged: 2,
    family: 'h100',
    roofline: true,
  },
  {
    name: 'h20',
    label: 'H20 96 GB',
    memoryBytes: 97871 * MIB,
    bandwidth: 4.0 * T,
    peak: { bf16: 148 * T, fp8: 296 * T, int8: 296 * T },
    linkBandwidth: 450 * G,
    link: 'nvlink',
    family: 'h200',
    roofline: true,
  },
  {
    name: 'a100',
    label: 'A100 SXM 80 GB',
    memoryBytes: 81920 * MIB,
    bandwidth: 2.039 * T,
    peak: { bf16: 312 * T, int8: 624 * T },
    linkBandwidth: 300 * G,
    link: 'nvlink',
    family: 'a100',
  },
  {
    name: 'a100-pcie',
    label: 'A100 PCIe 80 GB',
    memoryBytes: 81920 * MIB,
    bandwidth: 1.935 * T,
    // The chip of the SXM card and its peak, with 300 of its 400 W: long products run at that share of it.
    peak: { bf16: 0.75 * 312 * T, int8: 0.75 * 624 * T },
    linkBandwidth: 32 * G,
    link: 'pcie',
    family: 'a100',
  },
  {
    name: 'l40s',
    label: 'L40S 48 GB',
    memoryBytes: 46068 * MIB,
    bandwidth: 0.864 * T,
    peak: { bf16: 362 * T, fp8: 733 * T, int8: 733 * T },
    linkBandwidth: 32 * G,
    link: 'pcie',
    family: 'l40s',
  },
  {
    name: 'l4',
    label: 'L4 24 GB',
    memoryBytes: 23034 * MIB,
    bandwidth: 0.3 * T,
    peak: { bf16: 121 * T, fp8: 242 * T, int8: 242 * T },
    linkBandwidth: 32 * G,
    link: 'pcie',
    family: 'l40s',
    roofline: true,
  },
  {
    name: 'a10g',
    label: 'A10G 24 GB',
    memoryBytes: 23028 * MIB,
    bandwidth: 0.6 * T,
    peak: { bf16: 70 * T, int8: 140 * T },
    linkBandwidth: 32 * G,
    link: 'pcie',
    family: 'a100',
    roofline: true,
  },
  {
    name: 'rtx-4090',
    label: 'RTX 4090 24 GB',
    memoryBytes: 24564 * MIB,
    bandwidth: 1.008 * T,
    // Dense, with the 32-bit accumulation that engines use: half of what the data sheet prints first.
    peak: { bf16: 165 * T, fp8: 330 * T, int8: 660 * T },
    linkBandwidth: 32 * G,
    link: 'pcie',
    family: 'l40s',
    roofline: true,
  },
  {
    name: 'rtx-pro-6000',
    label: 'RTX PRO 6000 Server 96 GB',
    memoryBytes: 97887 * MIB,
    bandwidth: 1.792 * T,
    peak: { bf16: 503 * T, fp8: 1007 * T, int8: 1007 * T, fp4: 2015 * T },
    linkBandwidth: 64 * G,
    link: 'pcie',
    family: 'rtx-pro-6000',
  },
  {
    name: 'gb200',
    label: 'GB200 189 GB',
    memoryBytes: 189471 * MIB,
    bandwidth: 8.0 * T,
    peak: { bf16: 2500 * T, fp8: 5000 * T, int8: 5000 * T, fp4: 10_000 * T },
    linkBandwidth: 900 * G,
    link: 'nvlink',
    family: 'gb200',
  },
  {
    name: 'b300',
    label: 'B300 SXM 288 GB',
    memoryBytes: 275040 * MIB,
    bandwidth: 7.75 * T,
    peak: { bf16: 2250 * T, fp8: 4500 * T, int8: 153.5 * T, fp4: 13_500 * T },
    linkBandwidth: 900 * G,
    link: 'nvlink',
    family: 'b300',
  },
  {
    name: 'b200',
    label: 'B200 SXM 180 GB',
    memoryBytes: 183359 * MIB,
    bandwidth: 7.7 * T,
    peak: { bf16: 2250 * T, fp8: 4500 * T, int8: 4500 * T, fp4: 9000 * T },
    linkBandwidth: 900 * G,
    link: 'nvlink',
    family: 'b200',
  },
  {
    name: 'mi300x',
    label: 'AMD MI300X 192 GB',
    memoryBytes: 196288 * MIB,
    bandwidth: 5.3 * T,
    // Of the data sheet's 1,307 and 2,615 about 45 % are reached (Ambati et al., 2025), where an H100 reaches 79 %:
    // with its efficiencies these give the 45 %.
    peak: { bf16: 745 * T, fp8: 1490 * T, int8: 1490 * T },
    // Infinity Fabric, one link to each of seven others.
    linkBandwidth: 448 * G,
    link: 'nvlink',
    vendor: 'amd',
    family: 'h100',
    roofline: true,
  },
];

/** PCIe 5.0 x16, bytes a second and direction. */
const PCIE = 64 * G;

/** The GPU as a group of so many of it is linked. */
export function inGroupOf(gpus: number, gpu: Gpu): Gpu {
  if (gpu.bridged === undefined || gpus <= gpu.bridged) return gpu;
  return { ...gpu, link: 'pcie', linkBandwidth: PCIE };
}

export const GPU_NAMES: readonly string[] = GPUS.map((gpu) => gpu.name);

/** @throws {UserError} for a GPU the table lacks, with the nearest name and all others. */
export function findGpu(name: string): Gpu {
  const plain = name
    .toLowerCase()
    .replace(/^(nvidia|amd)[ -]/, '')
    .replace(/[ _]/g, '-')
    .replace(/-(sxm\d?|80gb|141gb)/g, '');
  const found = GPUS.find((gpu) => gpu.name === plain);
  if (found) return found;
  // One digit more is another card as often as a slip: all are named.
  const close = nearestName(plain, GPU_NAMES);
  const guess = close ? ` Did you mean "${close}"?` : '';
  throw new UserError(`gpu: "${name}" is not known.${guess} Known: ${GPU_NAMES.join(', ')}.`);
}
