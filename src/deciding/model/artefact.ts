/**
 * The router model as a file: a safetensors container whose metadata carries format version, checksum, tokenizer and
 * training facts. It knows nothing of where the bytes come from or go to.
 */
import { createHash } from 'node:crypto';
import { UserError } from '../../core/errors.ts';
import { KINDS, TOKENIZER } from '../text/features.ts';
import { type RouterModel, type RouterModelParts, routerModel, type TrainingFacts } from './router-model.ts';
import { readContainer, type Tensor, writeContainer } from './safetensors.ts';

const FORMAT = 'expert-router';
/** Of the file. A model of another format is refused. */
export const FORMAT_VERSION = 1;

type Tensors = Readonly<Record<string, Tensor>>;

/** @throws UserError when an array holds something that is no number */
export function writeRouterModel(model: RouterModelParts): Uint8Array {
  const tensors = tensorsOf(model);
  requireNumbers(tensors);
  const about = aboutOf(model);
  return writeContainer({
    metadata: {
      format: FORMAT,
      version: String(FORMAT_VERSION),
      tokenizer: TOKENIZER,
      sha256: checksum(tensors, about),
      about,
    },
    tensors,
  });
}

/** Throws UserError with the reason when the bytes are truncated, foreign, newer than this program or damaged. */
export function readRouterModel(bytes: Uint8Array): RouterModel {
  const { metadata, tensors } = readContainer(bytes);
  if (metadata.format !== FORMAT) {
    throw new UserError('it is a safetensors file, but no router model; make one with: expert-router train');
  }
  const version = Number(metadata.version);
  if (version !== FORMAT_VERSION) {
    throw new UserError(
      `it has format version ${metadata.version}, this program reads ${FORMAT_VERSION}: ` +
        (version > FORMAT_VERSION ? 'update expert-router' : 'train it again'),
    );
  }
  if (metadata.tokenizer !== TOKENIZER) {
    throw new UserError(
      `it was trained with tokens ${metadata.tokenizer}, this program makes ${TOKENIZER}: train it again`,
    );
  }
  const about = metadata.about ?? '';
  if (metadata.sha256 !== checksum(tensors, about)) {
    throw new UserError('it is damaged: the checksum does not match its content');
  }
  requireNumbers(tensors);
  return assemble(tensors, JSON.parse(about) as About, idOf(metadata.sha256));
}

/** One NaN would make every distance one, and every decision the first cluster's, without a sign of it. */
function requireNumbers(tensors: Tensors): void {
  for (const [name, tensor] of Object.entries(tensors)) {
    if (tensor.dtype === 'F32' && tensor.data.some(Number.isNaN)) {
      throw new UserError(`its ${name} are not all numbers: train it again`);
    }
  }
}

/** What is not an array: kept as one JSON text under the checksum. */
interface About {
  readonly names: readonly string[];
  readonly topTerms: readonly (readonly string[])[];
  readonly examples: readonly (readonly string[])[];
  readonly strangest: number;
  readonly slope: number;
  readonly facts: TrainingFacts;
}

function aboutOf({ names, topTerms, examples, calibration, facts }: RouterModelParts): string {
  const { strangest, slope } = calibration;
  return JSON.stringify({ names, topTerms, examples, strangest, slope, facts } satisfies About);
}

/** The id a model with this content gets: the start of its checksum. */
export function contentId(model: Omit<RouterModelParts, 'id'>): string {
  const parts = { ...model, id: '' };
  return idOf(checksum(tensorsOf(parts), aboutOf(parts)));
}

function idOf(sha256: string): string {
  return sha256.slice(0, 12);
}

function tensorsOf(model: RouterModelParts): Tensors {
  const { terms, calibration, dimensions } = model;
  const floats = (data: Float32Array, ...shape: number[]): Tensor => ({
    dtype: 'F32',
    shape: shape.length > 0 ? shape : [data.length],
    data,
  });
  return {
    'terms.hashes': { dtype: 'U32', shape: [terms.hashes.length], data: terms.hashes },
    'terms.weights': floats(terms.weights),
    'terms.scales': floats(terms.scales),
    'terms.unknown_weights': floats(terms.unknownWeights),
    centroids: floats(model.centroids, model.names.length, dimensions),
    sizes: { dtype: 'U32', shape: [model.sizes.length], data: model.sizes },
    'calibration.offsets': floats(calibration.offsets),
    'calibration.scores': floats(calibration.scores),
    'calibration.confidences': floats(calibration.confidences),
    'calibration.radii': floats(calibration.radii),
    'terms.rows': { dtype: 'I8', shape: [terms.hashes.length, dimensions], data: terms.rows },
  };
}

function checksum(tensors: Tensors, about: string): string {
  const hash = createHash('sha256').update(about);
  for (const name of Object.keys(tensors).sort()) {
    const { data, dtype, shape } = tensors[name]!;
    hash.update(`${name} ${dtype} ${shape.join('x')}\n`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

function assemble(tensors: Tensors, about: About, id: string): RouterModel {
  const centroids = take(tensors, 'centroids', 'F32');
  const dimensions = tensors.centroids!.shape[1] ?? 0;
  const unknownWeights = take(tensors, 'terms.unknown_weights', 'F32');
  const model = routerModel({
    id,
    dimensions,
    names: about.names,
    centroids,
    sizes: take(tensors, 'sizes', 'U32'),
    topTerms: about.topTerms,
    examples: about.examples,
    terms: {
      hashes: take(tensors, 'terms.hashes', 'U32'),
      weights: take(tensors, 'terms.weights', 'F32'),
      rows: take(tensors, 'terms.rows', 'I8'),
      scales: take(tensors, 'terms.scales', 'F32'),
      unknownWeights,
    },
    calibration: {
      offsets: take(tensors, 'calibration.offsets', 'F32'),
      slope: about.slope,
      scores: take(tensors, 'calibration.scores', 'F32'),
      confidences: take(tensors, 'calibration.confidences', 'F32'),
      radii: take(tensors, 'calibration.radii', 'F32'),
      strangest: about.strangest,
    },
    facts: about.facts,
  });
  assertSound(model);
  return model;
}

interface Arrays {
  F32: Float32Array;
  U32: Uint32Array;
  I8: Int8Array;
}

function take<D extends Tensor['dtype']>(tensors: Tensors, name: string, dtype: D): Arrays[D] {
  const tensor = tensors[name];
  if (tensor?.dtype !== dtype) throw new UserError(`it is damaged: the array ${name} is missing`);
  return tensor.data as Arrays[D];
}

/** A file made by another program can carry a right checksum and wrong shapes. */
function assertSound({ terms, clusters, dimensions, centroids, sizes, calibration }: RouterModel): void {
  const count = terms.hashes.length;
  const sound =
    clusters >= 1 &&
    centroids.length === clusters * dimensions &&
    sizes.length === clusters &&
    calibration.radii.length === clusters &&
    calibration.offsets.length === clusters &&
    calibration.scores.length === calibration.confidences.length &&
    terms.weights.length === count &&
    terms.scales.length === count &&
    terms.rows.length === count * dimensions &&
    terms.unknownWeights.length === KINDS;
  if (!sound) throw new UserError('it is damaged: its arrays do not fit each other');
}
