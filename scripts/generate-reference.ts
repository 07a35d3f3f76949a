import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deployManifests } from './deploy/manifests.ts';
import { referencePages } from './reference/reference-pages.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'docs', 'reference');

await mkdir(folder, { recursive: true });
for (const { file, text } of referencePages(root)) {
  await writeFile(join(folder, file), text);
  process.stdout.write(`docs/reference/${file}\n`);
}

for (const { file, text } of deployManifests()) {
  await mkdir(dirname(join(root, file)), { recursive: true });
  await writeFile(join(root, file), text);
  process.stdout.write(`${file}\n`);
}
