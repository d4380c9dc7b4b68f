import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { codesPage, readmeWithTables, settingsPage } from './doc-tables.ts';

// `npm run docs`, from the root of the checkout.
writeFileSync('docs/settings.md', settingsPage());
writeFileSync('docs/codes.md', codesPage());
if (existsSync('README.md')) writeFileSync('README.md', readmeWithTables(readFileSync('README.md', 'utf8')));
