import { expect, it } from 'vitest';
import { output } from './project-files.ts';

// As tests and not before them: a finding of the linter then hides no result, and is counted like any other.
it.each([
  ['typecheck', 'the compiler finds no mistake'],
  ['lint', 'the linter and the formatter find nothing'],
  ['unused', 'no export, file or dependency is unused, nor used by tests alone'],
])('npm run %s: %s', { timeout: 180_000 }, async (script) => {
  const { status, text } = await output('npm', ['run', '--silent', script]);
  expect(status, text).toBe(0);
});
