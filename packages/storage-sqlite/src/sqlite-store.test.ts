import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { Store } from '@arc/storage';
import { storeConformance } from '@arc/storage/conformance';
import { openSqliteStore } from './sqlite-store.ts';

const directory = mkdtempSync(join(tmpdir(), 'arc-sqlite-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const files = new Map<Store, string>();

async function openFile(file: string): Promise<Store> {
  const store = await openSqliteStore({ file });
  files.set(store, file);
  return store;
}

storeConformance('the SQLite store', {
  open: () => openFile(join(directory, `${files.size}.db`)),
  async reopen(store) {
    await store[Symbol.asyncDispose]();
    return openFile(files.get(store) ?? '');
  },
});
