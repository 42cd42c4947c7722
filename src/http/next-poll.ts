/** Calls back once the event loop has looked at every socket; many waiters cost one turn of it. */

/** Waiting since the last turn or longer: every socket has been polled when the next turn comes. */
let polled: (() => void)[] = [];
let fresh: (() => void)[] = [];

export function afterNextPoll(then: () => void): void {
  if (fresh.push(then) === 1 && polled.length === 0) setImmediate(turn);
}

function turn(): void {
  const due = polled;
  polled = fresh;
  fresh = [];
  // Before the callbacks: whoever asks again from one of them finds a turn on its way.
  if (polled.length > 0) setImmediate(turn);
  for (const then of due) then();
}
