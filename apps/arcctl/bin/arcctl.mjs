#!/usr/bin/env node
// Runs on any Node that knows ES modules, to say clearly what is missing instead of failing with a syntax error.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const required = [24, 15];

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > required[0] || (major === required[0] && minor >= required[1]);
}

/** The Node that was installed with this project, looked for in every folder upwards. */
function findOwnNode() {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', '.bin', 'node');
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
}

function runWith(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit', env: { ...process.env, ARCCTL_REEXECUTED: '1' } });
  // A terminal signals the whole group by itself; passing the signal on serves a plain `kill` of this process.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => tooOld(`; ${node} could not be started: ${error.message}`));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}

function tooOld(more = '') {
  process.stderr.write(`error[NodeTooOld]: arcctl needs Node >= ${required.join('.')}, this is ${process.versions.node}${more}\n`);
  process.stderr.write('hint: Install a newer Node, or run npm install in the project to get one of its own.\n');
  process.exitCode = 1;
}

if (isNewEnough(process.versions.node)) {
  module.enableCompileCache();
  await import('../src/main.ts');
} else {
  // The variable keeps a Node that lies about its version from starting itself for ever.
  const own = process.env.ARCCTL_REEXECUTED === undefined ? findOwnNode() : undefined;
  if (own === undefined) tooOld();
  else runWith(own);
}
