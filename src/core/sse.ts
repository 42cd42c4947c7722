/**
 * Server-sent events, read incrementally (WHATWG HTML, section 9.2.6): the events do not depend on how the text is
 * split into chunks.
 */
import { RouterError } from './errors.ts';

/** Characters of an event at most; nobody should have to hold a longer one. */
const MOST_EVENT = 4 * 1024 * 1024;

export interface ServerEvent {
  /** The `event:` field; `message` when absent. */
  readonly event: string;
  readonly data: string;
}

/**
 * Returns a function that takes decoded text as it arrives; `onEvent` is called once per complete event. Linear in the
 * text. The function throws a RouterError `expert_failed` for an event without end.
 */
export function eventReader(onEvent: (event: ServerEvent) => void): (text: string) => void {
  let rest = '';
  let event = '';
  let data: string[] = [];
  let held = 0;

  const line = (text: string): void => {
    if (text === '') {
      if (data.length > 0) onEvent({ event: event || 'message', data: data.join('\n') });
      event = '';
      data = [];
      held = 0;
      return;
    }
    const colon = text.indexOf(':');
    const field = colon === -1 ? text : text.slice(0, colon);
    const value = colon === -1 ? '' : text.slice(colon + 1).replace(/^ /, '');
    held += text.length;
    if (field === 'data') data.push(value);
    else if (field === 'event') event = value;
  };

  return (text) => {
    if (held + rest.length + text.length > MOST_EVENT)
      throw new RouterError(
        'expert_failed',
        `The server sent an event of more than ${MOST_EVENT / 2 ** 20} MB.`,
      );
    if (!rest.endsWith('\r') && !/[\r\n]/.test(text)) {
      rest += text; // looked at once, when its line ends
      return;
    }
    const whole = rest + text;
    // A final CR may be the first half of a CRLF that the next chunk completes.
    const complete = whole.endsWith('\r') ? whole.slice(0, -1) : whole;
    const lines = complete.split(/\r\n|\n|\r/);
    rest = lines.pop()! + whole.slice(complete.length);
    for (const one of lines) line(one);
  };
}
