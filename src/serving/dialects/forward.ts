/** The body of a request for a server that speaks its dialect: as the client sent it, but for what that server needs. */
import type { JsonBody } from './dialect.ts';
import { Members, type Splice } from './members.ts';
import type { Quirks } from './quirks.ts';
import { withoutHalfSurrogates } from './surrogates.ts';

/** What a server needs otherwise than the client wrote it. */
export interface ServerNeeds {
  /** Its name of the model. */
  readonly model: string;
  /** The limit for requests that set none, in tokens; undefined for the server's own. */
  readonly limit: number | undefined;
  readonly quirks: Quirks;
  /** Whether the client asks this server's expert and no other. */
  readonly insisted: boolean;
}

/** Sets the model and applies further edits, which must not overlap; every other byte stays as it was sent. */
export function forwardBody(
  { bytes, prepared, members: places }: JsonBody,
  { model, quirks }: ServerNeeds,
  edits: (members: Members) => readonly Splice[] = () => [],
): Buffer {
  const body = quirks.refusesHalfSurrogates ? (prepared ?? withoutHalfSurrogates(bytes)) : bytes;
  const members = new Members(body, places);
  return members.with([...edits(members), ...members.set('model', model)]);
}
