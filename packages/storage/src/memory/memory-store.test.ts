import { storeConformance } from '../conformance/index.ts';
import { createMemoryStore } from './memory-store.ts';

storeConformance('the memory store', { open: async () => createMemoryStore() });
