/** The language of the page: the browser's, or the one that was chosen here. Only its own texts are loaded. */
import type { en } from './en.ts';

export type Words = typeof en;
export type Language = 'en' | 'ja';

const TEXTS: Readonly<Record<Language, () => Promise<Words>>> = {
  en: async () => (await import('./en.ts')).en,
  ja: async () => (await import('./ja.ts')).ja,
};
const KEPT = 'expert-router-language';

let chosen: Language = kept() ?? (navigator.language.startsWith('ja') ? 'ja' : 'en');
let texts: Words;

export function language(): Language {
  return chosen;
}

/** Those that `speak` has loaded. */
export function words(): Words {
  return texts;
}

/**
 * Loads the texts of a language and speaks it from then on. Rejects where they cannot be loaded; all is then as before.
 * @param next one that the reader has chosen, which is remembered; without it, the language of the page
 */
export async function speak(next?: Language): Promise<void> {
  const wanted = next ?? chosen;
  texts = await TEXTS[wanted]();
  chosen = wanted;
  document.documentElement.lang = wanted;
  if (next === undefined) return;
  try {
    localStorage.setItem(KEPT, next);
  } catch {} // a browser that keeps nothing still speaks
}

function kept(): Language | null {
  try {
    const text = localStorage.getItem(KEPT);
    return text === 'en' || text === 'ja' ? text : null;
  } catch {
    return null;
  }
}
