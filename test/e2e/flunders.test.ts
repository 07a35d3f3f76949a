import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findKubectls, findProgram, kubectlRunner, startEtcd } from '@arc/testkit';

const example = fileURLToPath(new URL('../../examples/flunders/', import.meta.url));
const kubectl = (await findKubectls()).at(-1);
const etcd = findProgram('etcd');
const noKubectl = kubectl === undefined ? 'no kubectl of 1.27 or newer on this machine' : false;

interface Example extends AsyncDisposable {
  readonly kubeconfig: string;
  stop(): Promise<number | null>;
}

/** Starts the example as its README says, and waits until it has said that it is ready. */
async function startExample(args: readonly string[]): Promise<Example> {
  const child: ChildProcess = spawn(process.execPath, [join(example, 'server.ts'), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM');
    return (await exited)[0];
  };
  for await (const line of createInterface({ input: child.stdout ?? assert.fail() })) {
    const kubeconfig = /^export KUBECONFIG=(.+)$/.exec(line)?.[1];
    if (kubeconfig !== undefined) return { kubeconfig, stop, [Symbol.asyncDispose]: async () => void (await stop()) };
  }
  throw new Error(`the example ended with code ${(await exited)[0]} before it was ready`);
}

async function scratchFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'flunders-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

async function exercise(kubeconfig: string): Promise<void> {
  assert.ok(kubectl !== undefined);
  const run = kubectlRunner(kubectl, kubeconfig);
  const ok = async (...args: string[]): Promise<string> => {
    const result = await run(args);
    assert.equal(result.code, 0, `kubectl ${args.join(' ')}\n${result.stdout}${result.stderr}`);
    return result.stdout;
  };
  const manifest = join(example, 'flunder.yaml');
  assert.match(await ok('apply', '-f', manifest), /flunder\.wardle\.example\.com\/my-first-flunder created/);
  assert.match(await ok('apply', '-f', manifest), /unchanged/);
  assert.match(await ok('apply', '--server-side', '--force-conflicts', '-f', manifest), /serverside-applied/);
  assert.match(await ok('get', 'fl'), /^NAME +REFERENCE +AGE\nmy-first-flunder +my-second-flunder +\d+s\n$/);
  assert.equal(await ok('get', 'fl', 'my-first-flunder', '-o', 'jsonpath={.spec.referenceType}'), 'Flunder');
  assert.equal(await ok('get', 'fl', '--field-selector=spec.reference=other', '-o', 'name'), '');
  assert.match(await ok('explain', 'flunder.spec.referenceType'), /ENUM:\n +Flunder\n +Fischer\n/);
  const refused = await run(['patch', 'fl', 'my-first-flunder', '--type=merge', '-p', '{"spec":{"reference":"my-first-flunder"}}']);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /spec\.reference: Invalid value: "my-first-flunder": must not be the flunder itself/);

  const fischer = 'apiVersion: wardle.example.com/v1alpha1\nkind: Fischer\nmetadata: {name: one}\ndisallowedFlunders: [a, b]\n';
  assert.equal((await run(['create', '-f', '-'], { input: fischer })).code, 0);
  assert.match(await ok('get', 'fischers'), /^NAME +CREATED AT\none /);
  await ok('create', 'namespace', 'pond');
  const inside = 'apiVersion: wardle.example.com/v1alpha1\nkind: Flunder\nmetadata: {name: deep}\n';
  assert.equal((await run(['create', '-n', 'pond', '-f', '-'], { input: inside })).code, 0);
  await ok('delete', 'namespace', 'pond', '--timeout=30s');
  assert.match((await run(['get', 'fl', '-n', 'pond', '-o', 'name'])).stdout, /^$/, 'what was in the namespace has gone with it');
  assert.equal(await ok('auth', 'can-i', 'create', 'flunders'), 'yes\n');
}

test('kubectl works with the flunders example on SQLite, over a restart', { skip: noKubectl }, async () => {
  await using folder = await scratchFolder();
  const directory = join(folder.path, 'data');
  {
    await using server = await startExample([directory]);
    await exercise(server.kubeconfig);
    assert.equal(await server.stop(), 0);
  }
  await using again = await startExample([directory]);
  assert.ok(kubectl !== undefined);
  const { stdout } = await kubectlRunner(kubectl, again.kubeconfig)(['get', 'fl', '-o', 'name']);
  assert.equal(stdout, 'flunder.wardle.example.com/my-first-flunder\n');
});

test(
  'kubectl works with the flunders example on etcd',
  { skip: noKubectl !== false ? noKubectl : etcd === undefined ? 'no etcd on this machine' : false },
  async () => {
    await using folder = await scratchFolder();
    await using database = await startEtcd(etcd ?? assert.fail(), join(folder.path, 'etcd'));
    await using server = await startExample([join(folder.path, 'data'), `etcd://${database.host}`]);
    await exercise(server.kubeconfig);
  },
);
