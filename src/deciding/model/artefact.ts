/**
 * The router model as a file: a safetensors container with the clusters' arrays, one section per embedding, and a
 * checksum over all of it.
 */
import { createHash } from 'node:crypto';
import { UserError } from '../../core/errors.ts';
import {
  arrayOf,
  floats,
  integers,
  readContainer,
  type Tensor,
  writeContainer,
} from '../../core/safetensors.ts';
import type { Section, Sections } from '../embedding/embedding.ts';
import { readEmbedding } from '../embedding/index.ts';
import { type QualitySettings, qualitySettings, qualityTensors, readQuality } from '../quality/section.ts';
import { type RouterModel, type RouterModelParts, routerModel, type TrainingFacts } from './router-model.ts';

const FORMAT = 'expert-router';
/** Version of the file format; any other is refused. */
export const FORMAT_VERSION = 2;

type Tensors = Readonly<Record<string, Tensor>>;

/** @throws UserError when an array holds a NaN */
export function writeRouterModel(model: RouterModelParts): Uint8Array {
  const tensors = tensorsOf(model);
  requireNumbers(tensors);
  const about = aboutOf(model);
  const sha256 = checksum(tensors, about);
  return writeContainer({
    metadata: { format: FORMAT, version: String(FORMAT_VERSION), sha256, about },
    tensors,
  });
}

/** @throws UserError with the reason when the bytes are truncated, foreign, of another version or damaged */
export function readRouterModel(bytes: Uint8Array): RouterModel {
  const { metadata, tensors } = readContainer(bytes);
  if (metadata.format !== FORMAT) {
    throw new UserError(
      'it is a safetensors file, but not a router model; make one with: expert-router train',
    );
  }
  const version = Number(metadata.version);
  if (version !== FORMAT_VERSION) {
    throw new UserError(
      `it has format version ${metadata.version}, but this program reads ${FORMAT_VERSION}: ` +
        (version > FORMAT_VERSION
          ? 'update expert-router'
          : 'train it again, or see "The file" in docs/router-model.md'),
    );
  }
  const about = metadata.about ?? '';
  if (metadata.sha256 !== checksum(tensors, about)) {
    throw new UserError('it is damaged: the checksum does not match its content');
  }
  requireNumbers(tensors);
  return assemble(tensors, JSON.parse(about) as About, idOf(metadata.sha256));
}

/** One NaN would make every distance NaN, and silently send every prompt to the first cluster. */
function requireNumbers(tensors: Tensors): void {
  for (const [name, tensor] of Object.entries(tensors)) {
    if (tensor.dtype === 'F32' && tensor.data.some(Number.isNaN)) {
      throw new UserError(`its ${name} are not all numbers: train it again`);
    }
  }
}

/** Everything that is not an array, stored as one JSON text under the checksum. */
interface About {
  readonly names: readonly string[];
  readonly topWords: readonly (readonly string[])[];
  readonly examples: readonly (readonly string[])[];
  readonly strangest: number;
  readonly slope: number;
  readonly facts: TrainingFacts;
  /** Id of the embedding in whose space the centroids lie. */
  readonly embedding: string;
  /** Settings per embedding; its arrays are named `<id>.<array>`. */
  readonly sections: Readonly<Record<string, Section['settings']>>;
  /** Absent where nothing was learned from scores. */
  readonly quality?: QualitySettings;
}

function aboutOf({
  names,
  topWords,
  examples,
  calibration,
  facts,
  embedding,
  quality,
}: RouterModelParts): string {
  const { strangest, slope } = calibration;
  const sections = Object.fromEntries(
    Object.entries(embedding.sections()).map(([id, section]) => [id, section.settings]),
  );
  return JSON.stringify({
    names,
    topWords,
    examples,
    strangest,
    slope,
    facts,
    embedding: embedding.id,
    sections,
    ...(quality ? { quality: qualitySettings(quality) } : {}),
  } satisfies About);
}

/** The id of a model with this content: the start of its checksum. */
export function contentId(model: Omit<RouterModelParts, 'id'>): string {
  const parts = { ...model, id: '' };
  return idOf(checksum(tensorsOf(parts), aboutOf(parts)));
}

/** Names the space of a model's vectors: equal for models with the same embedding, whatever else was learned. */
export function spaceId({ embedding }: Pick<RouterModelParts, 'embedding'>): string {
  const tensors: Record<string, Tensor> = {};
  for (const [id, section] of Object.entries(embedding.sections())) {
    for (const [name, tensor] of Object.entries(section.tensors)) tensors[`${id}.${name}`] = tensor;
  }
  return idOf(checksum(tensors, embedding.id));
}

function idOf(sha256: string): string {
  return sha256.slice(0, 12);
}

function tensorsOf({ calibration, embedding, centroids, names, sizes, quality }: RouterModelParts): Tensors {
  const tensors: Record<string, Tensor> = {
    centroids: floats(centroids, names.length, embedding.dimensions),
    sizes: integers(sizes),
    'calibration.offsets': floats(calibration.offsets),
    'calibration.scores': floats(calibration.scores),
    'calibration.confidences': floats(calibration.confidences),
    'calibration.radii': floats(calibration.radii),
  };
  for (const [id, section] of Object.entries(embedding.sections())) {
    for (const [name, tensor] of Object.entries(section.tensors)) tensors[`${id}.${name}`] = tensor;
  }
  if (quality) Object.assign(tensors, qualityTensors(quality));
  return tensors;
}

function sectionsIn(tensors: Tensors, { sections }: About): Sections {
  return Object.fromEntries(
    Object.entries(sections ?? {}).map(([id, settings]) => {
      const own = Object.entries(tensors).filter(([name]) => name.startsWith(`${id}.`));
      return [
        id,
        { settings, tensors: Object.fromEntries(own.map(([name, t]) => [name.slice(id.length + 1), t])) },
      ];
    }),
  );
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
  const model = routerModel({
    id,
    embedding: readEmbedding(about.embedding, sectionsIn(tensors, about)),
    names: about.names,
    centroids: arrayOf(tensors, 'centroids', 'F32'),
    sizes: arrayOf(tensors, 'sizes', 'U32'),
    topWords: about.topWords,
    examples: about.examples,
    calibration: {
      offsets: arrayOf(tensors, 'calibration.offsets', 'F32'),
      slope: about.slope,
      scores: arrayOf(tensors, 'calibration.scores', 'F32'),
      confidences: arrayOf(tensors, 'calibration.confidences', 'F32'),
      radii: arrayOf(tensors, 'calibration.radii', 'F32'),
      strangest: about.strangest,
    },
    facts: about.facts,
    ...(about.quality ? { quality: readQuality(tensors, about.quality) } : {}),
  });
  assertSound(model);
  return model;
}

/** A file written by another program can have a valid checksum and wrong shapes. */
function assertSound({ clusters, dimensions, centroids, sizes, calibration, quality }: RouterModel): void {
  const sound =
    clusters >= 1 &&
    centroids.length === clusters * dimensions &&
    sizes.length === clusters &&
    calibration.radii.length === clusters &&
    calibration.offsets.length === clusters &&
    calibration.scores.length === calibration.confidences.length &&
    (quality === undefined || quality.dimensions === dimensions);
  if (!sound) throw new UserError('it is damaged: the sizes of its arrays do not match');
}
