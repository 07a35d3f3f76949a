import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { svgPlot } from './plot/svg-plot.ts';
import { curvesOf } from './report/curves.ts';
import { reportPage } from './report/page.ts';
import type { Results } from './results/measurement.ts';

const page = new URL('../docs/reference/performance.md', import.meta.url);
const plots = new URL('../docs/reference/performance/', import.meta.url);

const { values, positionals } = parseArgs({ allowPositionals: true, options: { comparison: { type: 'string' } } });
const [file] = positionals;
if (file === undefined) {
  process.stderr.write(
    'usage: npm run bench:report -- RESULTS [--comparison RESULTS]\n\nRESULTS are what `npm run bench` and `npm run bench:compare` wrote with --out.\n',
  );
  process.exitCode = 2;
} else {
  const results = await read(file);
  const text = reportPage({ results, ...(values.comparison !== undefined && { comparison: await read(values.comparison) }) });
  await mkdir(plots, { recursive: true });
  await writeFile(page, text);
  for (const { file, plot } of curvesOf(results)) await writeFile(new URL(file, plots), svgPlot(plot));
  process.stdout.write(`wrote ${fileURLToPath(page)}\n`);
}

async function read(name: string): Promise<Results> {
  return JSON.parse(await readFile(name, 'utf8')) as Results;
}
