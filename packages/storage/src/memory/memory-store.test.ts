import { importConformance, storeConformance } from '../conformance/index.ts';
import { MemoryContent } from './memory-content.ts';
import { openMemoryImport } from './memory-import.ts';
import { createMemoryStore } from './memory-store.ts';

storeConformance('the memory store', { open: async () => createMemoryStore() });

importConformance('the memory store', {
  async place() {
    const content = new MemoryContent();
    return { openTarget: async () => openMemoryImport(content), openStore: async () => createMemoryStore(content) };
  },
});
