import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { importConformance } from '@arc/storage/conformance';
import { openSqliteImport } from './import-target.ts';
import { openSqliteStore } from './sqlite-store.ts';

const directory = mkdtempSync(join(tmpdir(), 'arc-sqlite-import-'));
after(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;

importConformance('the SQLite file', {
  async place() {
    const file = join(directory, `${files++}.db`);
    return { openTarget: async () => openSqliteImport({ file }), openStore: () => openSqliteStore({ file }) };
  },
});
