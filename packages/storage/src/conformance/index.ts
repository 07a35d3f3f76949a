import { suite } from 'node:test';
import type { StoreAdapter } from './adapter.ts';
import { changeTests } from './changes.ts';
import { concurrencyTests } from './concurrency.ts';
import { historyTests } from './histories.ts';
import { importTests, type ImportAdapter } from './imports.ts';
import { rangeTests } from './ranges.ts';
import { writeTests } from './writes.ts';

export type { StoreAdapter } from './adapter.ts';
export { contradictions } from './contradictions.ts';
export { followStore } from './follow-store.ts';
export type { Following } from './follow-store.ts';
export type { ImportAdapter, ImportPlace } from './imports.ts';
export { recordHistory } from './recorded-history.ts';
export type { HistoryOptions, Recorded, RecordedWrite } from './recorded-history.ts';
export { randomIntegers } from './support.ts';
export { brokenWatchRules } from './watch-rules.ts';

/** Registers, with node:test, the tests that every Store must pass. */
export function storeConformance(name: string, adapter: StoreAdapter): void {
  suite(`${name} conforms to the Store port`, () => {
    writeTests(adapter);
    rangeTests(adapter);
    changeTests(adapter);
    historyTests(adapter);
    concurrencyTests(adapter);
  });
}

/** Registers, with node:test, the tests that every ImportTarget must pass. */
export function importConformance(name: string, adapter: ImportAdapter): void {
  suite(`${name} conforms to the ImportTarget port`, () => importTests(adapter));
}
