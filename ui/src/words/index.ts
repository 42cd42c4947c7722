/** The language of the page: the browser's, or the one that was chosen here. */
import { en } from './en.ts';
import { ja } from './ja.ts';

export type Words = typeof en;
export type Language = 'en' | 'ja';

const TEXTS: Readonly<Record<Language, Words>> = { en, ja };
const KEPT = 'expert-router-language';

let chosen: Language = kept() ?? (navigator.language.startsWith('ja') ? 'ja' : 'en');

export function language(): Language {
  return chosen;
}

export function words(): Words {
  return TEXTS[chosen];
}

export function speak(next: Language): void {
  chosen = next;
  document.documentElement.lang = next;
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
