/** The interface of embeddings: how a text becomes a vector, and what a router model file stores. */
import type { Random } from '../../core/random.ts';
import type { Tensor } from '../../core/safetensors.ts';
import type { TaskRunner, TextBatch } from '../../core/tasks.ts';
import type { RoutableText } from '../text/routable.ts';

export interface Embedded {
  /** Unit length, or all zeros if the embedding knows nothing in the text. */
  readonly vector: Float32Array;
  /** How much the text resembles the texts the embedding was learned from: 0 (not at all) to 1. */
  readonly familiarity: number;
  /** Like `vector`, of the turn by itself, without the segments that fade. `vector` when absent. */
  readonly own?: Float32Array;
  /** Length of the first segment: words, or about half the characters where none are separated. */
  readonly words?: number;
}

/** What a word contributes to the projection of its text's vector on some direction. */
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
  /** Its section of the file, by its id; a blend adds those of its parts. */
  sections(): Sections;
}

/** Computes at once; never throws, for any text. */
export interface Embedding extends Common {
  readonly asynchronous?: false;
  embed(text: RoutableText): Embedded;
}

/** Depends on something outside this thread. A rejection fails the request being classified. */
export interface AsynchronousEmbedding extends Common {
  readonly asynchronous: true;
  embed(text: RoutableText): Promise<Embedded>;
}

export type AnyEmbedding = Embedding | AsynchronousEmbedding;

/** What a file stores of one embedding. */
export interface Section {
  /** JSON values: everything that is not an array. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly tensors: Readonly<Record<string, Tensor>>;
}

export type Sections = Readonly<Record<string, Section>>;

/** An entry of the table of embeddings. */
export interface EmbeddingKind {
  /** The sections of a file that it reads; the one of its own id when absent. */
  readonly sections?: readonly string[];
  /**
   * @throws UserError, with a message that continues "it …", when its section is missing, damaged or of another version
   */
  read(sections: Sections): AnyEmbedding;
  /** Learns from texts, or returns a pretrained embedding. Equal texts, options and seed give an equal embedding. */
  learn(from: LearningTexts): Promise<Learned>;
}

export interface LearningTexts {
  readonly batches: readonly TextBatch[];
  /** In all batches. */
  readonly count: number;
  /** At most this many; fewer if the texts span fewer. */
  readonly dimensions: number;
  /** At most this many entries in a vocabulary, where there is one. */
  readonly vocabulary: number;
  readonly random: Random;
  readonly tasks: TaskRunner;
  /** An embedding learned elsewhere, for kinds that do not learn from the texts alone. */
  readonly pretrained: AnyEmbedding | null;
  /** Embeds every text, on all threads, with an embedding that is not finished yet. */
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
  /** Facts for the reader, stored in the model. */
  readonly facts: Readonly<Record<string, string | number>>;
}
