#!/usr/bin/env node
// Runs on any Node that knows ES modules, to say clearly what is missing instead of failing with a syntax error.
import { existsSync } from 'node:fs';
import module from 'node:module';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';

/** Steps get a temporary directory of their own, so the usual place for compiled code would be empty every time. */
function compileCacheFolder() {
  const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url));
  return existsSync(modules) ? `${modules}/.cache/node-compile-cache` : undefined;
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 15)) {
  process.stderr.write(`error: arc-worker needs Node 24.15 or newer, this is ${process.version}\n`);
  process.exitCode = 1;
} else {
  // A copy makes garbage of 64 KiB network buffers. A young generation that does not grow returns them soon enough to be
  // used again while still in the processor's cache: 1 GB in 10 layers took 1.8 instead of 2.6 s of CPU, 110 instead of 185 MB.
  v8.setFlagsFromString('--max-semi-space-size=1');
  v8.setFlagsFromString('--semi-space-growth-factor=1');
  module.enableCompileCache?.(process.env.NODE_COMPILE_CACHE ?? compileCacheFolder());
  const { main } = await import('../src/main.ts');
  await main();
}
