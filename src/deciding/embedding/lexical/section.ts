/** Sections of a router model file that hold a vocabulary with directions: the lexical embedding's, and others alike. */
import { UserError } from '../../../core/errors.ts';
import { arrayOf, floats, integers } from '../../../core/safetensors.ts';
import { KINDS, TOKENIZER } from '../../text/features.ts';
import type { Section, Sections } from '../embedding.ts';
import { LexicalEmbedding } from './lexical.ts';
import type { Terms } from './terms.ts';

const ID = 'lexical';

export function readLexical(sections: Sections): LexicalEmbedding {
  return lexicalEmbedding(termsIn(sections[ID]!));
}

export function lexicalEmbedding(terms: Terms): LexicalEmbedding {
  return new LexicalEmbedding(ID, terms, () => ({ [ID]: sectionOf(terms) }));
}

/** @param more settings besides the tokenizer and the dimensions */
export function sectionOf(terms: Terms, more: Section['settings'] = {}): Section {
  const { hashes, dimensions } = terms;
  return {
    settings: { ...more, tokenizer: TOKENIZER, dimensions },
    tensors: {
      hashes: integers(hashes),
      weights: floats(terms.weights),
      scales: floats(terms.scales),
      unknown_weights: floats(terms.unknownWeights),
      rows: { dtype: 'I8', shape: [hashes.length, dimensions], data: terms.rows },
    },
  };
}

/** @throws UserError, continuing "it …", for a section of another tokenizer or a damaged one */
export function termsIn({ settings, tensors }: Section): Terms {
  if (settings.tokenizer !== TOKENIZER) {
    throw new UserError(
      `it was trained with the tokenizer ${settings.tokenizer}, but this program uses ${TOKENIZER}: train it again`,
    );
  }
  const terms = {
    dimensions: Number(settings.dimensions),
    hashes: arrayOf(tensors, 'hashes', 'U32'),
    weights: arrayOf(tensors, 'weights', 'F32'),
    rows: arrayOf(tensors, 'rows', 'I8'),
    scales: arrayOf(tensors, 'scales', 'F32'),
    unknownWeights: arrayOf(tensors, 'unknown_weights', 'F32'),
  };
  const count = terms.hashes.length;
  const sound =
    terms.weights.length === count &&
    terms.scales.length === count &&
    terms.rows.length === count * terms.dimensions &&
    terms.unknownWeights.length === KINDS;
  if (!sound) throw new UserError('it is damaged: the arrays of its vocabulary do not fit each other');
  return terms;
}
