/** Any verb of the real program as a process of its own, seen from the repository's root. It knows no verb. */
import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';

/** Compiled, this file lies elsewhere; npm runs scripts at the root. */
const BIN = resolve('bin', 'expert-router.js');

export interface RunningProgram {
  readonly process: ChildProcess;
  /** Everything printed so far, both streams. */
  output(): string;
  /** Resolves with the first match in the output; rejects when the process ends without one. */
  said(what: RegExp): Promise<RegExpExecArray>;
  /** The exit code. */
  readonly ended: Promise<number | null>;
}

export function program(...args: readonly string[]): RunningProgram {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
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
