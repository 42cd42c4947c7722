#!/usr/bin/env node
/** The command. In a checkout it first installs and compiles what is missing; an installed package is ready as is. */
import { existsSync } from 'node:fs';

if (existsSync(new URL('../src', import.meta.url))) {
  const { prepare } = await import('../scripts/prepare.js');
  prepare();
}
await import('../dist/cli/main.js');
