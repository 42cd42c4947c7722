/** Embeds many texts on several threads, with the same vectors as one by one. */
import {
  inOrder,
  sharedFloats,
  type TaskRunner,
  type TextBatch,
  task,
  unpackTexts,
} from '../../core/tasks.ts';
import { plainText } from '../text/routable.ts';
import type { AnyEmbedding, EmbeddedTexts, Sections } from './embedding.ts';
import { readEmbedding } from './index.ts';

/** An embedding in a form that can be sent to another thread. */
export interface PortableEmbedding {
  readonly id: string;
  readonly sections: Sections;
}

export function portable(embedding: AnyEmbedding): PortableEmbedding {
  return { id: embedding.id, sections: embedding.sections() };
}

export async function embedBatch(
  { id, sections }: PortableEmbedding,
  batch: TextBatch,
): Promise<EmbeddedTexts> {
  const embedding = readEmbedding(id, sections);
  const { dimensions } = embedding;
  const texts = unpackTexts(batch);
  const values = sharedFloats(texts.length * dimensions);
  const familiarities = new Float32Array(texts.length);
  for (const [index, text] of texts.entries()) {
    const { vector, familiarity } = await embedding.embed(plainText(text));
    values.set(vector, index * dimensions);
    familiarities[index] = familiarity;
  }
  return { values, count: texts.length, dimensions, familiarities };
}

export const embedOne = task(
  import.meta.url,
  'embedOne',
  (input: { embedding: PortableEmbedding; batch: TextBatch }) => embedBatch(input.embedding, input.batch),
);

/** `count` is the number of texts in all batches. */
export async function embedAll(
  embedding: AnyEmbedding,
  batches: readonly TextBatch[],
  count: number,
  tasks: TaskRunner,
): Promise<EmbeddedTexts> {
  const { dimensions } = embedding;
  const values = sharedFloats(count * dimensions);
  const familiarities = new Float32Array(count);
  const sent = portable(embedding);
  let row = 0;
  await inOrder(
    tasks,
    batches.length,
    (index) => tasks.run(embedOne, { embedding: sent, batch: batches[index]! }),
    (part) => {
      values.set(part.values, row * dimensions);
      familiarities.set(part.familiarities, row);
      row += part.count;
    },
  );
  return { values, count, dimensions, familiarities };
}
