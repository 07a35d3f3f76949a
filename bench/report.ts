import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { svgPlot } from './plot/svg-plot.ts';
import { capacityFigures } from './report/capacity.ts';
import { choosingFigures } from './report/choosing.ts';
import { curvesOf } from './report/curves.ts';
import { figuresTable, withFigures } from './report/figures.ts';
import { reportPage } from './report/page.ts';
import type { Results } from './results/measurement.ts';

const page = new URL('../docs/reference/performance.md', import.meta.url);
const guides = { 'choosing-storage.md': choosingFigures, 'capacity.md': capacityFigures } as const;
/** Results, comparison and plots. */
const folder = new URL('../docs/reference/performance/', import.meta.url);
const kept = { results: new URL('results.json', folder), comparison: new URL('comparison.json', folder) } as const;

const usage = `usage: npm run bench:report -- [RESULTS] [--comparison RESULTS]

RESULTS are what \`npm run bench\` and \`npm run bench:compare\` wrote with --out; without them those of the last report are taken,
${fileURLToPath(kept.results)} and ${fileURLToPath(kept.comparison)}.
`;

async function report(file: string | URL, comparisonFile: string | URL | undefined): Promise<void> {
  const results = await read(file);
  const comparison = comparisonFile === undefined ? undefined : await read(comparisonFile);
  await writeFile(page, reportPage({ results, ...(comparison !== undefined && { comparison }) }));
  for (const { file, plot } of curvesOf(results)) await writeFile(new URL(file, folder), svgPlot(plot));
  for (const [name, figures] of Object.entries(guides)) {
    const guide = new URL(`../docs/guide/${name}`, import.meta.url);
    await writeFile(guide, withFigures(await readFile(guide, 'utf8'), figuresTable(results, figures)));
  }
  process.stdout.write(`wrote ${fileURLToPath(page)} and the figures of ${Object.keys(guides).join(', ')}\n`);
}

async function read(name: string | URL): Promise<Results> {
  return JSON.parse(await readFile(name, 'utf8')) as Results;
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { comparison: { type: 'string' } } });
const [file = existsSync(kept.results) ? kept.results : undefined] = positionals;
if (file === undefined) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else {
  await report(file, values.comparison ?? (existsSync(kept.comparison) ? kept.comparison : undefined));
}
