import { defineConfig } from 'vitest/config';

const project = (name: string, extra: object = {}) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], ...extra },
});

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Two cores: more workers only make the timing of real Redis and Chromium worse.
    maxWorkers: 2,
    projects: [
      project('unit'),
      project('contract'),
      project('stories'),
      project('architecture'),
      project('connector'),
      project('laravel'),
      project('browser'),
      project('cli'),
    ],
  },
});
