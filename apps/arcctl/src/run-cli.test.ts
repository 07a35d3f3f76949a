import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { memoryStreams } from '@arc/cli-kit';
import { systemClock } from '@arc/kernel';
import { commands } from './command-table.ts';
import { runCli } from './run-cli.ts';

let home = '';
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'arcctl-test-'));
});
after(() => rm(home, { recursive: true, force: true }));

async function arcctl(args: readonly string[], environment: Readonly<Record<string, string>> = { HOME: home }) {
  const streams = memoryStreams();
  const code = await runCli(args, { streams, environment, clock: systemClock, signal: new AbortController().signal });
  return { code, stdout: streams.stdout.text, stderr: streams.stderr.text };
}

test('help is asked for in every way and goes to stdout', async () => {
  for (const args of [[], ['--help'], ['help'], ['get', '--help'], ['order', '--help'], ['help', 'order']]) {
    const { code, stdout, stderr } = await arcctl(args);
    assert.deepEqual([code, stderr], [0, ''], args.join(' '));
    assert.match(stdout, /^Usage: arcctl/);
  }
});

test('every command of the table can be loaded, and has help with an example', async () => {
  for (const { path, load, examples } of commands) {
    // `up` loads the whole system, which its own tests do.
    if (path[0] !== 'up') assert.equal(typeof (await load()), 'function', path.join(' '));
    const { stdout } = await arcctl([...path, '--help']);
    for (const example of examples ?? []) assert.ok(stdout.includes(example), path.join(' '));
  }
});

test('help names an option once, and global ones only where they mean something', async () => {
  const optionsIn = async (...path: readonly string[]) =>
    [...(await arcctl([...path, '--help'])).stdout.matchAll(/^ +(?:-\w, )?(--[\w-]+)/gm)].map(([, name]) => name);
  for (const { path } of commands) {
    const names = await optionsIn(...path);
    assert.deepEqual(names, [...new Set(names)], path.join(' '));
  }
  assert.ok((await optionsIn('get')).includes('--context'));
  assert.ok(!(await optionsIn('up')).includes('--context'));
});

test('a wrong command line is exit code 2 with a hint', async () => {
  for (const [args, message] of [
    [['gte'], /error\[Usage\]: unknown command 'gte'\nhint: Did you mean get\?/],
    [['order'], /arcctl order needs a command: order submit, order watch/],
    [['order', 'sbmit'], /unknown command 'sbmit'\nhint: Did you mean submit\?/],
    [['get'], /missing required argument 'kind'/],
    [['get', 'orders', '--watchh'], /unknown option '--watchh'\nhint: Did you mean --watch\?/],
    [['get', 'orders', '-o', 'xml'], /Allowed choices are json, yaml, wide, name/],
    [['order', 'submit'], /required option '-f, --filename <file>' not specified/],
    [['version', 'x'], /too many arguments/],
  ] as const) {
    const { code, stdout, stderr } = await arcctl(args);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, message);
    assert.equal(stdout, '');
  }
});

test('a usage error is JSON where JSON was asked for', async () => {
  for (const form of [['-o', 'json'], ['-ojson'], ['--output=json']]) {
    const { stderr } = await arcctl(['get', ...form]);
    assert.equal((JSON.parse(stderr) as { error: { code: string } }).error.code, 'Usage');
  }
});

test('verbose shows where an error comes from', async () => {
  assert.match((await arcctl(['get', 'orders', '-v'])).stderr, /error\[NoKubeconfig\][^]*kubeconfig-files\.ts/);
});

test('without any kubeconfig it says how to get one', async () => {
  const { code, stderr } = await arcctl(['get', 'orders']);
  assert.equal(code, 1);
  assert.match(stderr, /^error\[NoKubeconfig\]: .*\nhint: Start ARC with arcctl up/);
});

test('kubeconfigs are found in their order: --kubeconfig, KUBECONFIG, the home directory, the data directory', async () => {
  const kubeconfig = (port: number): string =>
    JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c' } }],
      clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }],
    });
  await mkdir(join(home, '.kube'));
  await mkdir(join(home, '.local', 'share', 'arc'), { recursive: true });
  // Nobody listens on these ports: the error names the one that was chosen.
  const serverOf = async (args: readonly string[], environment: Readonly<Record<string, string>>): Promise<string | undefined> =>
    /127\.0\.0\.1:(\d)/.exec((await arcctl(['get', 'orders', ...args], environment)).stderr)?.[1];
  await writeFile(join(home, '.local', 'share', 'arc', 'kubeconfig'), kubeconfig(1));
  assert.equal(await serverOf([], { HOME: home }), '1');
  await writeFile(join(home, '.kube', 'config'), kubeconfig(2));
  assert.equal(await serverOf([], { HOME: home }), '2');
  const listed = join(home, 'listed');
  await writeFile(listed, kubeconfig(3));
  assert.equal(await serverOf([], { HOME: home, KUBECONFIG: `/no/such/file:${listed}` }), '3');
  const named = join(home, 'named');
  await writeFile(named, kubeconfig(4));
  assert.equal(await serverOf(['--kubeconfig', named], { HOME: home, KUBECONFIG: listed }), '4');
  assert.match((await arcctl(['get', 'orders', '--kubeconfig', '/no/such/file'])).stderr, /the kubeconfig \/no\/such\/file does not exist/);
  assert.match(
    (await arcctl(['get', 'orders'], { HOME: home, KUBECONFIG: '/no/such/file' })).stderr,
    /KUBECONFIG names no file that exists/,
  );
});

test('the launcher runs the program and passes its exit code on', () => {
  const launcher = fileURLToPath(new URL('../bin/arcctl.mjs', import.meta.url));
  const run = (...args: readonly string[]) => spawnSync(process.execPath, [launcher, ...args], { encoding: 'utf8' });
  const version = run('version', '-o', 'json');
  assert.equal(version.status, 0, version.stderr);
  assert.equal((JSON.parse(version.stdout) as { node: string }).node, process.versions.node);
  assert.equal(run('gte').status, 2);
});
