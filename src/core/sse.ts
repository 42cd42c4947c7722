/**
 * Server-sent events, read incrementally (WHATWG HTML, section 9.2.6): the events do not depend on how the text is
 * split into chunks.
 */

export interface ServerEvent {
  /** The `event:` field; `message` when absent. */
  readonly event: string;
  readonly data: string;
}

/** Whether a content-type names a stream of events; media types are case-insensitive (RFC 9110, section 8.3.1). */
export function isEventStream(contentType: string | undefined): boolean {
  return contentType !== undefined && /^\s*text\/event-stream\s*(?:;|$)/i.test(contentType);
}

/** Returns a function that takes decoded text as it arrives; `onEvent` is called once per complete event. */
export function eventReader(onEvent: (event: ServerEvent) => void): (text: string) => void {
  let rest = '';
  let event = '';
  let data: string[] = [];

  const line = (text: string): void => {
    if (text === '') {
      if (data.length > 0) onEvent({ event: event || 'message', data: data.join('\n') });
      event = '';
      data = [];
      return;
    }
    const colon = text.indexOf(':');
    const field = colon === -1 ? text : text.slice(0, colon);
    const value = colon === -1 ? '' : text.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') data.push(value);
    else if (field === 'event') event = value;
  };

  return (text) => {
    const whole = rest + text;
    // A final CR may be the first half of a CRLF that the next chunk completes.
    const complete = whole.endsWith('\r') ? whole.slice(0, -1) : whole;
    const lines = complete.split(/\r\n|\n|\r/);
    rest = lines.pop()! + whole.slice(complete.length);
    for (const one of lines) line(one);
  };
}
