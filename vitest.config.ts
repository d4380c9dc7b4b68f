import { defineConfig } from 'vitest/config';

const project = (name: string, extra: object = {}) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], sequence: { groupOrder: 1 }, ...extra },
});

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Two cores: more workers only make the timing of real Redis and Chromium worse.
    maxWorkers: 2,
    // The report is what `.ci/run` counts; vitest's own summary comes last.
    ...(process.env.CI
      ? { reporters: [['json', { outputFile: 'test/.artifacts/results.json' }], 'default'] }
      : {}),
    projects: [
      // First and alone: the compiler and the linters take both cores, which would disturb real servers.
      project('architecture', { sequence: { groupOrder: 0 } }),
      project('unit'),
      project('contract'),
      project('stories'),
      project('connector'),
      project('types'),
      project('laravel'),
      project('browser'),
      project('cli'),
      project('proxies'),
      // Last and alone: what it does to Redis and to three nodes wants the time of both cores.
      project('chaos', { sequence: { groupOrder: 2 } }),
      // So does the soak, whose attackers and calm clients share one process.
      project('soak', { sequence: { groupOrder: 3 } }),
    ],
  },
});
