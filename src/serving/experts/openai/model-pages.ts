/** What an engine tells of its model on pages beside its API. */
import type { ContextPage, ModelTraits, TraitsPage } from '../../engines/engine.ts';

/** A page's JSON object; null for none. @param body asked for by POST */
export type ReadPage = (path: string, body?: string) => Promise<Readonly<Record<string, unknown>> | null>;

export async function contextOn(
  page: ContextPage | null,
  model: string,
  read: ReadPage,
): Promise<number | null> {
  const told = page && (await read(page.path));
  return told && page!.of(told, model);
}

export async function traitsOn(
  page: TraitsPage | null,
  model: string,
  read: ReadPage,
): Promise<ModelTraits | null> {
  if (page === null) return null;
  const told = await read(page.path, page.question && JSON.stringify(page.question(model)));
  return told && page.of(told);
}
