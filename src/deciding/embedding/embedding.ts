/** What turns a text into a vector, and what a router model's file keeps of it. */
import type { Random } from '../../core/random.ts';
import type { Tensor } from '../../core/safetensors.ts';
import type { TaskRunner } from '../../core/tasks.ts';
import type { TextBatch } from '../../core/text-batch.ts';
import type { RoutableText } from '../text/routable.ts';

export interface Embedded {
  /** Unit length, or all zero when the embedding makes nothing of the text. */
  readonly vector: Float32Array;
  /** How much the text resembles what the embedding was made from: 0 (not at all) to 1. */
  readonly familiarity: number;
}

/** What a word of a text adds to its vector's projection on some direction. */
export interface WordShare {
  readonly word: string;
  readonly share: number;
}

interface Common {
  /** Its key in the table of embeddings, and of its section in the file. */
  readonly id: string;
  readonly dimensions: number;
  /**
   * The words of a text with their share of vector · direction; all shares add up to it. Absent where a vector cannot
   * be traced back to words.
   */
  explain?(text: RoutableText, direction: Float64Array): readonly WordShare[];
  /** Its own section of the file, by its id; a blend adds those of its parts. */
  sections(): Sections;
}

/** Computes at once; never throws, for any text. */
export interface Embedding extends Common {
  readonly asynchronous?: false;
  embed(text: RoutableText): Embedded;
}

/** Has to ask something outside of this thread. A rejection fails the request that asked. */
export interface AsynchronousEmbedding extends Common {
  readonly asynchronous: true;
  embed(text: RoutableText): Promise<Embedded>;
}

export type AnyEmbedding = Embedding | AsynchronousEmbedding;

/** What a file keeps of one embedding. */
export interface Section {
  /** What is not an array; JSON. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly tensors: Readonly<Record<string, Tensor>>;
}

export type Sections = Readonly<Record<string, Section>>;

/** A line of the table of embeddings. */
export interface EmbeddingKind {
  /** @throws UserError, in words that continue "it …", when its section is missing, damaged or of another version */
  read(sections: Sections): AnyEmbedding;
  /** Learns from texts, or brings what it has learned before. Equal texts, options and seed give an equal embedding. */
  learn(from: LearningTexts): Promise<Learned>;
}

export interface LearningTexts {
  readonly batches: readonly TextBatch[];
  /** In all batches. */
  readonly count: number;
  /** At most this many; fewer where the texts hold fewer. */
  readonly dimensions: number;
  /** At most this many entries in a vocabulary, where there is one. */
  readonly vocabulary: number;
  readonly random: Random;
  readonly tasks: TaskRunner;
  /** Every text by an embedding that is not finished yet, on all threads. */
  embedAll(embedding: AnyEmbedding): Promise<EmbeddedTexts>;
  onProgress(stage: string, done: number, total: number): void;
}

/** Many texts as points. */
export interface EmbeddedTexts {
  /** count × dimensions, in memory that threads share. */
  readonly values: Float32Array;
  readonly count: number;
  readonly dimensions: number;
  readonly familiarities: Float32Array;
}

export interface Learned {
  readonly embedding: AnyEmbedding;
  /** For people, kept in the model. */
  readonly facts: Readonly<Record<string, string | number>>;
}
