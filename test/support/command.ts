/** Runs any verb of the real program as a separate process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';

/** Tests and evaluations run at the repository's root, wherever this file was compiled to. */
const BIN = resolve('bin', 'expert-router.js');

export interface RunningCommand {
  readonly process: ChildProcess;
  /** Everything printed so far, both streams. */
  output(): string;
  /** Resolves with the first match in the output; rejects when the process ends without one. */
  said(what: RegExp): Promise<RegExpExecArray>;
  /** The exit code. */
  readonly ended: Promise<number | null>;
}

/** Runs the program with arguments; an object before them is added to the environment. */
export function command(
  ...given: readonly string[] | readonly [Record<string, string>, ...string[]]
): RunningCommand {
  const [first, ...rest] = given;
  const [environment, args] = typeof first === 'object' ? [first, rest as string[]] : [{}, given as string[]];
  const child = spawn(process.execPath, [BIN, ...args], {
    // What else runs on the machine has no part in this.
    env: { ...process.env, EXPERT_ROUTER_DISCOVER: 'none', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let told = (): void => {};
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      output += text;
      told();
    });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const said = (what: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      told = () => {
        const found = what.exec(output);
        if (found) resolve(found);
      };
      told();
      void ended.then((code) => reject(new Error(`ended with ${code}:\n${output}`)));
    });
  return { process: child, output: () => output, said, ended };
}
