#!/usr/bin/env node
// Runs on any Node that knows ES modules, to say clearly what is missing instead of failing with a syntax error.
import module from 'node:module';
import process from 'node:process';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 15)) {
  process.stderr.write(`error: arc-apiserver needs Node 24.15 or newer, this is ${process.version}\n`);
  process.exitCode = 1;
} else {
  module.enableCompileCache?.();
  await import('../src/main.ts');
}
