import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const fromHere = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: fromHere('.'),
  base: '/demo/',
  logLevel: 'warn',
  publicDir: false,
  resolve: {
    // The source and not the package's dist: the page shows the connector of this checkout, built or not.
    alias: { 'yamabiko-echo-connector': fromHere('../../../../echo-connector/src/index.ts') },
  },
  build: {
    outDir: fromHere('../../../../dist/server/pages/demo/public'),
    emptyOutDir: true,
    target: 'es2022',
    // No data: URIs and no inline polyfill, so that the page's CSP needs no exception.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
