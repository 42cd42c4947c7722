/** A request's place at an expert: the first of its ranking that admits it, at once or after waiting in its queue. */
import { RouterError } from '../../core/errors.ts';
import type { Admission, ExpertGroup, Ticket } from '../fleet/group.ts';
import type { Lease, Replica } from '../fleet/replica.ts';

export interface Place {
  readonly group: ExpertGroup;
  readonly lease: Lease;
  /** 1 unless others did not admit it. */
  readonly tries: number;
}

export interface Wanted extends Omit<Admission, 'tried' | 'patient'> {
  /** Replicas that are out of the question. */
  readonly excluded: ReadonlySet<Replica>;
}

/**
 * Calls back once, with a place or with the last expert's reason; not after `leave`.
 * @param groups best first; at least one
 */
export function findPlace(
  groups: readonly ExpertGroup[],
  { excluded, ...wanted }: Wanted,
  decided: (result: Place | RouterError) => void,
): Ticket {
  let waiting: Ticket = { leave: () => {} };
  let left = false;
  const ask = (index: number): void => {
    const group = groups[index]!;
    let answered = false;
    const last = index === groups.length - 1;
    const ticket = group.admit({ ...wanted, tried: excluded, patient: groups.length === 1 }, (result) => {
      answered = true;
      if (left) return;
      if (!(result instanceof RouterError)) decided({ group, lease: result, tries: index + 1 });
      else if (last) decided(result);
      else ask(index + 1);
    });
    // One that answers at once has already led to the next, whose ticket counts.
    if (!answered) waiting = ticket;
  };
  ask(0);
  return {
    leave: () => {
      left = true;
      waiting.leave();
    },
  };
}
