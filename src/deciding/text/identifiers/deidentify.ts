/**
 * Takes out of a text what identifies people: each identifier gives way to a placeholder that says of which kind it was,
 * such as `[name]`. Rules alone, for English and Japanese, in linear time; docs/security.md says what they miss.
 */
import { budgetOf, type RoutableText } from '../routable.ts';
import { sampleText } from '../sampling.ts';
import { people } from './people.ts';
import { places } from './places.ts';
import { IDENTIFIERS, type Identifier, type Span } from './span.ts';
import { dates, network, numbers, telephones } from './written.ts';

/** What to take out of texts. */
export type Deidentifier = (text: string) => string;

const RECOGNISERS = [network, numbers, dates, places, telephones, people];

/** A config's setting: false, everything, or everything but some kinds. */
export type DeidentifySetting = boolean | { readonly keep: readonly Identifier[] };

/** None for false. */
export function deidentifierOf(setting: DeidentifySetting): Deidentifier | null {
  if (setting === false) return null;
  return deidentifier(setting === true ? [] : setting.keep);
}

/** Every identifier, in order of place; none overlap. */
export function identifiersIn(text: string): readonly Span[] {
  const plain = halfWidth(text);
  const all = RECOGNISERS.flatMap((recognise) => recognise(plain));
  const rank = ({ kind }: Span): number => IDENTIFIERS.indexOf(kind);
  all.sort((a, b) => rank(a) - rank(b) || b.end - b.start - (a.end - a.start));
  const taken = new Uint8Array(text.length);
  const kept = all.filter(({ start, end }) => {
    if (taken.subarray(start, end).includes(1)) return false;
    taken.fill(1, start, end);
    return true;
  });
  return kept.sort((a, b) => a.start - b.start);
}

/** @param keep kinds that stay as they are */
export function deidentifier(keep: readonly Identifier[] = []): Deidentifier {
  return (text) => {
    let result = '';
    let from = 0;
    for (const { kind, start, end } of identifiersIn(text)) {
      if (keep.includes(kind)) continue;
      result += `${text.slice(from, start)}[${kind}]`;
      from = end;
    }
    return result + text.slice(from);
  };
}

/** The same turn without identifiers. Of a long text it reads, and keeps, what classification would. */
export function deidentified(turn: RoutableText, deidentify: Deidentifier): RoutableText {
  const segments = turn.segments.map((segment) => ({
    ...segment,
    text: deidentify(sampleText(segment.text, budgetOf(segment))),
  }));
  return { ...turn, segments };
}

/** Digits, letters and signs as wide as Japanese characters in their usual form, dashes as hyphens. Keeps the length. */
function halfWidth(text: string): string {
  return text.replace(/[\uff01-\uff5e\u3000\u2010-\u2013\u2212]/g, (one) =>
    one === '\u3000' ? ' ' : one < '\u3000' ? '-' : String.fromCharCode(one.charCodeAt(0) - 0xfee0),
  );
}
