import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describeMachine } from './machine.ts';
import type { Results } from './measurement.ts';

type Measured = Pick<Results, 'measurements' | 'skipped'>;

/** Writes what was measured, with what it was measured on, as JSON. */
export async function writeResults(file: string, size: string, { measurements, skipped }: Measured): Promise<void> {
  const results: Results = {
    date: new Date().toISOString().slice(0, 10),
    size,
    machine: await describeMachine(),
    measurements,
    skipped,
  };
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(results, undefined, 1)}\n`);
}

/** @throws Error when the file holds results of another size, which do not belong into one report */
export async function readResults(file: string, size: string): Promise<Results> {
  const results = JSON.parse(await readFile(file, 'utf8')) as Results;
  if (results.size !== size) throw new Error(`${file} holds results of size ${results.size}, not ${size}`);
  return results;
}

/** What was measured now, and before it what is of other benches or backends. */
export function mergeResults(before: Measured | undefined, now: Measured): Measured {
  const measured = new Set(now.measurements.map(({ bench, backend }) => `${bench} on ${backend}`));
  const kept = before?.measurements.filter(({ bench, backend }) => !measured.has(`${bench} on ${backend}`)) ?? [];
  const skipped = before?.skipped.filter((what) => ![...measured].some((place) => what.startsWith(place))) ?? [];
  return { measurements: [...kept, ...now.measurements], skipped: [...new Set([...skipped, ...now.skipped])] };
}
