import type { Command } from 'commander';

/** Runs a verb in this process and gives what it printed to standard output. */
export async function printed(command: Command, args: readonly string[]): Promise<string> {
  const lines: string[] = [];
  const [log, error] = [console.log, console.error];
  console.log = (line: unknown) => void lines.push(String(line));
  console.error = () => {};
  try {
    await command.exitOverride().parseAsync([...args], { from: 'user' });
  } finally {
    [console.log, console.error] = [log, error];
  }
  return lines.join('\n');
}
