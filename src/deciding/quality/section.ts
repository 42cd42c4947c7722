/** The quality section of a router model file: settings as JSON, arrays under names that begin with `quality.`. */
import { UserError } from '../../core/errors.ts';
import { arrayOf, floats, type Tensor } from '../../core/safetensors.ts';
import type { Level, Quality, Ridge } from './quality.ts';

type Tensors = Readonly<Record<string, Tensor>>;

export type QualitySettings = Omit<Quality, 'means' | 'variances' | 'chains' | 'ridge' | 'headStart'> & {
  readonly chains: number;
  readonly levels: number;
  /** Width of the ridge regression's memberships; null without one. */
  readonly width: number | null;
  /** Null for a head start that nothing catches up with. */
  readonly headStart: number | null;
};

export function qualitySettings(quality: Quality): QualitySettings {
  const { means: _means, variances: _variances, chains, ridge, headStart, ...rest } = quality;
  return {
    ...rest,
    chains: chains.length,
    levels: chains[0]?.length ?? 0,
    width: ridge?.width ?? null,
    headStart: Number.isFinite(headStart) ? headStart : null,
  };
}

export function qualityTensors({ means, variances, chains, ridge, experts, dimensions }: Quality): Tensors {
  const tensors: Record<string, Tensor> = {
    'quality.means': floats(means),
    'quality.variances': floats(variances),
  };
  chains.forEach((levels, chain) => {
    levels.forEach((level, index) => {
      const clusters = level.centroids.length / dimensions;
      const at = levelName(chain, index);
      tensors[`${at}.centroids`] = floats(level.centroids, clusters, dimensions);
      tensors[`${at}.offsets`] = floats(level.offsets, clusters, experts.length);
      tensors[`${at}.variances`] = floats(level.variances, clusters, experts.length);
    });
  });
  if (ridge !== null) {
    tensors['quality.ridge.centroids'] = floats(
      ridge.centroids,
      ridge.centroids.length / dimensions,
      dimensions,
    );
    tensors['quality.ridge.weights'] = floats(
      ridge.weights,
      ridge.weights.length / experts.length,
      experts.length,
    );
  }
  return tensors;
}

function levelName(chain: number, level: number): string {
  return `quality.chain${chain}.level${level}`;
}

/** @throws UserError when arrays are missing or their sizes do not fit each other */
export function readQuality(tensors: Tensors, settings: QualitySettings): Quality {
  const { chains, levels, width, headStart, ...rest } = settings;
  const quality: Quality = {
    ...rest,
    headStart: headStart ?? Number.POSITIVE_INFINITY,
    means: arrayOf(tensors, 'quality.means', 'F32'),
    variances: arrayOf(tensors, 'quality.variances', 'F32'),
    chains: Array.from({ length: chains }, (_, chain) =>
      Array.from({ length: levels }, (_, level) => readLevel(tensors, levelName(chain, level))),
    ),
    ridge: width === null ? null : readRidge(tensors, width),
  };
  if (!isSound(quality))
    throw new UserError('it is damaged: the arrays of its quality section do not fit each other');
  return quality;
}

function readLevel(tensors: Tensors, name: string): Level {
  return {
    centroids: arrayOf(tensors, `${name}.centroids`, 'F32'),
    offsets: arrayOf(tensors, `${name}.offsets`, 'F32'),
    variances: arrayOf(tensors, `${name}.variances`, 'F32'),
  };
}

function readRidge(tensors: Tensors, width: number): Ridge {
  return {
    width,
    centroids: arrayOf(tensors, 'quality.ridge.centroids', 'F32'),
    weights: arrayOf(tensors, 'quality.ridge.weights', 'F32'),
  };
}

function isSound(quality: Quality): boolean {
  const { experts, dimensions, means, variances, chains, ridge, claims, best, prices } = quality;
  const m = experts.length;
  const levelIsSound = ({ centroids, offsets, variances: own }: Level): boolean => {
    const clusters = centroids.length / dimensions;
    return clusters >= 1 && offsets.length === clusters * m && own.length === clusters * m;
  };
  const ridgeIsSound =
    ridge === null || ridge.weights.length === (dimensions + ridge.centroids.length / dimensions + 1) * m;
  return (
    m >= 1 &&
    means.length === m &&
    variances.length === m &&
    prices.length === m &&
    (!claims || claims.means.length === m) &&
    best >= 0 &&
    best < m &&
    chains.flat().every(levelIsSound) &&
    ridgeIsSound
  );
}
