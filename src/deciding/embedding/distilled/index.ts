/**
 * Meanings from a transformer, in the hashed features of the lexical embedding: each term's direction was fitted so that
 * the weighted sum of a text's terms points where the transformer puts the text. `npm run distill` makes it; a router
 * model carries it on.
 */
import { UserError } from '../../../core/errors.ts';
import type { EmbeddingKind, Section, Sections } from '../embedding.ts';
import { LexicalEmbedding } from '../lexical/lexical.ts';
import { sectionOf, termsIn } from '../lexical/section.ts';
import type { Terms } from '../lexical/terms.ts';

const ID = 'distilled';

/** Where it comes from, kept in the file: the teacher, and of every origin its name, licence, number and hash of texts. */
export interface Provenance {
  readonly teacher: string;
  readonly origins: readonly {
    readonly name: string;
    readonly licence: string;
    readonly texts: number;
    readonly sha256: string;
  }[];
  readonly facts: Readonly<Record<string, unknown>>;
}

export const distilled: EmbeddingKind = {
  read: (sections) => fromSection(sections[ID]!),
  learn: async ({ pretrained }) => {
    const section = pretrained?.sections()[ID];
    if (!section) {
      throw new UserError(
        'there is no distilled embedding to start from: give a router model that holds one, or use --embedding lexical',
      );
    }
    const embedding = fromSection(section);
    const { teacher } = section.settings as unknown as Provenance;
    return { embedding, facts: { 'distilled from': teacher } };
  },
};

export function distilledEmbedding(terms: Terms, provenance: Provenance): LexicalEmbedding {
  const sections: Sections = { [ID]: sectionOf(terms, { ...provenance }) };
  return new LexicalEmbedding(ID, terms, () => sections);
}

function fromSection(section: Section): LexicalEmbedding {
  return new LexicalEmbedding(ID, termsIn(section), () => ({ [ID]: section }));
}
