/**
 * What to install on which machine: the binary package of a platform, and the shipped lockfile narrowed to it.
 * Pure; it runs nothing. Checksums come from the lockfile alone.
 */
import { UserError } from '../../../core/errors.ts';

export const ENGINE_PACKAGE = 'node-llama-cpp';
export const ENGINE_VERSION = '3.22.1';

/** `process.platform` and `process.arch` → the package that carries llama.cpp built for it. */
const BINARIES: Readonly<Record<string, string>> = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'linux-arm': 'linux-armv7l',
  'linux-riscv64': 'linux-riscv64',
  'darwin-arm64': 'mac-arm64-metal',
  'darwin-x64': 'mac-x64',
  'win32-x64': 'win-x64',
  'win32-arm64': 'win-arm64',
};

export function binaryPackage(platform: string, arch: string): string {
  const name = BINARIES[`${platform}-${arch}`];
  if (name) return `@node-llama-cpp/${name}`;
  throw new UserError(
    `There is no prebuilt llama.cpp for ${platform} ${arch}. Use an expert of kind \`openai\` with a llama-server, ` +
      'Ollama or cloud address instead.',
  );
}

export interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}

export interface Lockfile {
  readonly packages: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly [key: string]: unknown;
}

export interface InstallPlan {
  readonly manifest: Manifest;
  readonly lock: Lockfile;
  /** Whether the lockfile also fixes the binary's checksum; else npm takes the one the registry states. */
  readonly pinned: boolean;
}

/**
 * Makes one optional binary a plain dependency and forgets the others, which come to over 600 MB: without them in
 * the engine's own list, npm does not even ask the registry about them.
 */
export function planInstall(binary: string, manifest: Manifest, lock: Lockfile): InstallPlan {
  const key = `node_modules/${binary}`;
  const dependencies = { ...manifest.dependencies, [binary]: ENGINE_VERSION };
  const kept = Object.entries(lock.packages).filter(
    ([path]) => !path.startsWith('node_modules/@node-llama-cpp/'),
  );
  const packages: Record<string, Readonly<Record<string, unknown>>> = Object.fromEntries(kept);
  packages[''] = { ...packages[''], dependencies };
  const engine = `node_modules/${ENGINE_PACKAGE}`;
  packages[engine] = { ...packages[engine], optionalDependencies: {} };
  const locked = lock.packages[key];
  if (locked) {
    const { optional: _, ...required } = locked;
    packages[key] = required;
  }
  return {
    manifest: { ...manifest, dependencies },
    lock: { ...lock, packages },
    pinned: locked !== undefined,
  };
}
