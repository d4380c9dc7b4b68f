/**
 * Prints "N passed, N failed, N skipped" from vitest's JSON report. Ends with 1 where any failed or none ran.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = fileURLToPath(new URL('../.artifacts/results.json', import.meta.url));

/** @returns {{status: string, assertionResults: {status: string}[]}[]} one entry for each test file */
function files() {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).testResults;
  } catch (error) {
    console.log(`No tests ran: ${error instanceof Error ? error.message : error}`);
    return [];
  }
}

const count = { passed: 0, failed: 0, skipped: 0 };
for (const file of files()) {
  const statuses = file.assertionResults.map((test) => test.status);
  const failed = statuses.filter((status) => status === 'failed').length;
  const passed = statuses.filter((status) => status === 'passed').length;
  count.passed += passed;
  // A file that could not be loaded or whose hook failed has no failed test, and is a failure all the same.
  count.failed += failed === 0 && file.status === 'failed' ? 1 : failed;
  count.skipped += statuses.length - passed - failed;
}

console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
process.exitCode = count.failed > 0 || count.passed === 0 ? 1 : 0;
