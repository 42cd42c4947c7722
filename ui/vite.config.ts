import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here('.'),
  base: '/ui/',
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: here('../dist/ui'),
    emptyOutDir: true,
    assetsDir: '.',
    // Small pictures stay files: the page's policy takes none from its own text.
    assetsInlineLimit: 0,
    // One sheet, loaded with the page: the parts that are loaded later bring none.
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
  },
});
