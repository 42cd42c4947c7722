/** Server-sent events of a response as they come, each with a single line of data. */
export async function* eventsOf(
  response: Response,
): AsyncGenerator<{ readonly name: string; readonly data: string }> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let held = '';
  let name = 'message';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    held += value;
    const lines = held.split('\n');
    held = lines.pop()!;
    for (const line of lines) {
      const [, field, said = ''] = /^(event|data):\s*(.*?)\s*$/.exec(line) ?? [];
      if (field === 'event') name = said;
      if (field !== 'data') continue;
      yield { name, data: said };
      name = 'message';
    }
  }
}
