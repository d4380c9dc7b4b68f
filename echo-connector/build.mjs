// Builds dist/esm and dist/cjs, each with its own types: a declaration that serves both is wrong for one of them.
import { execFileSync } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const here = new URL('./', import.meta.url);
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

await rm(new URL('dist/', here), { recursive: true, force: true });
for (const project of ['tsconfig.json', 'tsconfig.cjs.json']) {
  execFileSync(process.execPath, [tsc, '-p', project], { cwd: here, stdio: 'inherit' });
}

// The package is "type": "module"; without this file dist/cjs would be read as ES modules.
await writeFile(new URL('dist/cjs/package.json', here), '{ "type": "commonjs" }\n');

// tsc rewrites `./x.ts` to `./x.js` in the code but not in the declarations, where older compilers refuse it.
for (const folder of ['dist/esm/', 'dist/cjs/']) {
  for (const name of await readdir(new URL(folder, here))) {
    if (!name.endsWith('.d.ts')) continue;
    const file = new URL(folder + name, here);
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll(/(from '\.\/[a-z-]+)\.ts'/g, "$1.js'"));
  }
}
