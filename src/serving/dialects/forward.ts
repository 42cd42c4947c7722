/** The body of a request for a server that speaks its dialect: as the client sent it, but for what that server needs. */
import type { Pieces } from '../../core/pieces.ts';
import type { JsonBody } from './dialect.ts';
import { Members, type Splice } from './members.ts';
import type { ServerNeeds } from './quirks.ts';
import { withoutHalfSurrogates } from './surrogates.ts';

/** Sets the model and applies further edits, which must not overlap; every other byte stays as it was sent. */
export function forwardBody(
  { bytes, prepared, members: places }: JsonBody,
  { model, quirks }: ServerNeeds,
  edits: (members: Members) => readonly Splice[] = () => [],
): Pieces {
  const body = quirks.refusesHalfSurrogates ? (prepared ?? withoutHalfSurrogates(bytes)) : bytes;
  const members = new Members(body, places);
  return members.with([...edits(members), ...members.set('model', model)]);
}
