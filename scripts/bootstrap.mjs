// Runs a script of this repository on Node >= 24, installing what is needed first. This file itself must run on any
// Node >= 20 and without dependencies, because it is what makes both unnecessary to have.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const stamp = join(modules, '.cache', 'arc-installed');
const required = [24, 15];

function fail(message) {
  process.stderr.write(`error: ${message}\n`);
  process.exit(1);
}

function fingerprint() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  return createHash('sha256').update(lock).update(`${process.platform}-${process.arch}`).digest('hex');
}

function installDependencies() {
  const wanted = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  process.stderr.write('Installing dependencies ...\n');
  const npm = process.env.npm_execpath;
  // Not `npm ci`: it refuses a lockfile without the entries of other platforms' optional packages, and a registry mirror
  // that does not carry those platforms cannot write them. With --no-save the lockfile is obeyed and stays as it is.
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  const options = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] };
  const result = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], options)
    : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
  if (result.error !== undefined) fail(`npm could not be started: ${result.error.message}. Install npm, then run the command again.`);
  if (result.status !== 0) fail(`npm install failed with exit code ${result.status}. Its output above says why.`);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > required[0] || (major === required[0] && minor >= required[1]);
}

function findNode() {
  if (isNewEnough(process.versions.node)) return process.execPath;
  const own = join(modules, `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(own)) return own;
  return fail(
    `Node ${process.versions.node} is too old: ARC needs Node >= ${required.join('.')}, and none is packaged for ` +
      `${process.platform}-${process.arch} (only linux-x64 and linux-arm64 are). Install a newer Node, then run the command again.`,
  );
}

function run(node, command) {
  const path = [join(modules, '.bin'), process.env.PATH].join(delimiter);
  const child = spawn(node, command, { cwd: process.env.INIT_CWD ?? root, stdio: 'inherit', env: { ...process.env, PATH: path } });
  // A terminal signals the whole group by itself; passing the signal on serves a plain `kill` of this process.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => fail(`${node} could not be started: ${error.message}`));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (signal === 'SIGINT' ? 2 : 15);
  });
}

const [script, ...rest] = process.argv.slice(2);
if (script === undefined) fail('usage: node scripts/bootstrap.mjs SCRIPT [ARG ...]');
installDependencies();
run(findNode(), [join(root, script), ...rest]);
