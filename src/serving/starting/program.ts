/** Whether the program of a command can be run, without running it. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';

export const notThere = (program: string, cwd: string): string =>
  `there is no program '${program}' (from ${cwd}); correct its name, or the PATH of the gateway`;
export const notExecutable = (program: string): string =>
  `'${program}' may not be executed; make it executable (chmod +x)`;

/** What is wrong, without full stop; null for nothing. @param path of the environment, as PATH has it */
export function programProblem(program: string, cwd: string, path = ''): string | null {
  const places = program.includes('/')
    ? [resolve(cwd, program)]
    : path.split(delimiter).map((folder) => resolve(cwd, folder, program));
  const there = places.filter((place) => statSync(place, { throwIfNoEntry: false })?.isFile());
  if (there.length === 0) return notThere(program, cwd);
  return there.some(isExecutable) ? null : notExecutable(program);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
