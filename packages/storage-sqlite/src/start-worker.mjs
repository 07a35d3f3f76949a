// Not TypeScript: it turns on the compile cache of the program for this thread, before anything is there to be stripped of types.
import module from 'node:module';
import { workerData } from 'node:worker_threads';

const { compileCache } = workerData;
if (compileCache !== undefined) module.enableCompileCache(compileCache);
await import('./worker.ts');
// A thread that is terminated, or killed with its process, writes nothing at its end.
if (compileCache !== undefined) module.flushCompileCache();
