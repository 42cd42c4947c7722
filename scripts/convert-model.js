/**
 * Converts a router model from format version 1 to version 2 without changing its numbers:
 * `node scripts/convert-model.js old.safetensors new.safetensors`.
 *
 * Version 1 had a single embedding, with arrays named `terms.*`; version 2 has a section per embedding.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { prepare } from './prepare.js';

const [, , from, to] = process.argv;
if (!to) {
  console.error('usage: node scripts/convert-model.js <version 1 file> <new file>');
  process.exit(2);
}
prepare();
const { writeFileAtomically } = await import('../dist/core/files.js');
const { readContainer } = await import('../dist/core/safetensors.js');
const { lexicalEmbedding } = await import('../dist/deciding/embedding/lexical/section.js');
const { contentId, writeRouterModel } = await import('../dist/deciding/model/artefact.js');

const { metadata, tensors } = readContainer(readFileSync(from));
if (metadata.format !== 'expert-router' || metadata.version !== '1' || metadata.tokenizer !== 'features/1') {
  console.error(`${from} is not a router model of format version 1`);
  process.exit(1);
}
if (metadata.sha256 !== checksum()) {
  console.error(`${from} is damaged: the checksum does not match its content`);
  process.exit(1);
}
const { topTerms, strangest, slope, ...about } = JSON.parse(metadata.about);
const parts = {
  ...about,
  topWords: topTerms,
  embedding: lexicalEmbedding({
    dimensions: tensors['terms.rows'].shape[1],
    hashes: tensors['terms.hashes'].data,
    weights: tensors['terms.weights'].data,
    rows: tensors['terms.rows'].data,
    scales: tensors['terms.scales'].data,
    unknownWeights: tensors['terms.unknown_weights'].data,
  }),
  centroids: tensors.centroids.data,
  sizes: tensors.sizes.data,
  calibration: {
    offsets: tensors['calibration.offsets'].data,
    scores: tensors['calibration.scores'].data,
    confidences: tensors['calibration.confidences'].data,
    radii: tensors['calibration.radii'].data,
    strangest,
    slope,
  },
};
const id = contentId(parts);
await writeFileAtomically(to, writeRouterModel({ ...parts, id }));
console.log(`${to}: router model ${id}`);

function checksum() {
  const hash = createHash('sha256').update(metadata.about);
  for (const name of Object.keys(tensors).sort()) {
    const { data, dtype, shape } = tensors[name];
    hash.update(`${name} ${dtype} ${shape.join('x')}\n`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}
