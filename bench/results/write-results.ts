import { writeFile } from 'node:fs/promises';
import { describeMachine } from './machine.ts';
import type { Results } from './measurement.ts';
import type { Recorder } from './recorder.ts';

/** Writes what was measured, with what it was measured on, as JSON. */
export async function writeResults(file: string, size: string, { measurements, skipped }: Recorder): Promise<void> {
  const results: Results = {
    date: new Date().toISOString().slice(0, 10),
    size,
    machine: await describeMachine(),
    measurements,
    skipped,
  };
  await writeFile(file, `${JSON.stringify(results, undefined, 1)}\n`);
}
