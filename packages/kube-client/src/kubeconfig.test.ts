import { readPlainYaml } from '@arc/apimachinery/client';
import { FakeClock } from '@arc/kernel';
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { clientConfigOf, loadKubeconfig } from './kubeconfig.ts';
import { writeKubeconfig } from './write-kubeconfig.ts';

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const first = `
apiVersion: v1
kind: Config
current-context: one
contexts:
- name: one
  context: {cluster: c, user: u, namespace: team}
clusters:
- name: c
  cluster:
    server: https://one:6443
    certificate-authority-data: ${base64('CA')}
    tls-server-name: kubernetes
users:
- name: u
  user:
    client-certificate-data: ${base64('CERT')}
    client-key-data: ${base64('KEY')}
`;

test('a context names server, trust, user and namespace', async () => {
  const config = await clientConfigOf(await loadKubeconfig([{ path: '/k/one', text: first }]));
  assert.deepEqual(config, {
    server: 'https://one:6443',
    caPem: 'CA',
    tlsServerName: 'kubernetes',
    clientCertificate: { certPem: 'CERT', keyPem: 'KEY' },
    namespace: 'team',
  });
});

test('of several files the first that has an entry decides', async () => {
  const second = `
current-context: two
contexts:
- {name: one, context: {cluster: other, user: u}}
- {name: two, context: {cluster: other, user: t}}
clusters:
- {name: other, cluster: {server: "http://two", insecure-skip-tls-verify: true}}
users:
- {name: t, user: {token: secret}}
`;
  const kubeconfig = await loadKubeconfig([
    { path: '/k/one', text: first },
    { path: '/k/two', text: second },
  ]);
  assert.equal((await clientConfigOf(kubeconfig)).server, 'https://one:6443');
  assert.deepEqual(await clientConfigOf(kubeconfig, { context: 'two' }), {
    server: 'http://two',
    insecureSkipTlsVerify: true,
    token: 'secret',
  });
});

test('referenced files are relative to the kubeconfig, and a token file is read again after a minute', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'config');
  await writeFile(join(folder.path, 'ca.pem'), 'CA FILE');
  await writeFile(join(folder.path, 'token'), 'old\n');
  const text = first
    .replace(/certificate-authority-data: .*/, 'certificate-authority: ca.pem')
    .replace(/client-[^]*/, 'tokenFile: token\n');
  const clock = new FakeClock();
  const config = await clientConfigOf(await loadKubeconfig([{ path, text }]), { clock });
  assert.equal(config.caPem, 'CA FILE');
  assert.ok(typeof config.token === 'function');
  assert.equal(await config.token(), 'old');
  await writeFile(join(folder.path, 'token'), 'new');
  assert.equal(await config.token(), 'old');
  await clock.advance(60_000);
  assert.equal(await config.token(), 'new');
});

test('what cannot be used is refused with the file and what is wrong', async () => {
  const edited = (from: string | RegExp, to: string) => [{ path: '/k/one', text: first.replace(from, to) }];
  for (const [sources, code, message] of [
    [[], 'NoContext', /no current context/],
    [edited('current-context: one', 'current-context: nope'), 'UnknownContext', /no context "nope"/],
    [edited('cluster: c,', 'cluster: d,'), 'InvalidKubeconfig', /"one" names the cluster "d", which does not exist/],
    [edited(/server: .*/, 'x: y'), 'InvalidKubeconfig', /no server/],
    [edited(/client-key-data: .*/, 'x: y'), 'InvalidKubeconfig', /certificate but no key/],
    [edited(/client-[^]*/, 'exec: {command: get-token}\n'), 'UnsupportedKubeconfig', /\(exec\) is not supported/],
    [edited(/tls-server-name: .*/, 'proxy-url: http://p'), 'UnsupportedKubeconfig', /proxy-url/],
    [
      edited(/certificate-authority-data: .*/, 'certificate-authority: missing.pem'),
      'InvalidKubeconfig',
      /\/k\/missing\.pem, which cannot be read/,
    ],
  ] as const) {
    await assert.rejects(async () => clientConfigOf(await loadKubeconfig(sources)), { code, message });
  }
  for (const [text, message] of [
    ['a: [', /\/k\/bad/],
    ['kind: Pod', /its kind is Pod/],
    ['clusters: {}', /clusters is not a list/],
    ['- a', /not a mapping/],
  ] as const) {
    await assert.rejects(loadKubeconfig([{ path: '/k/bad', text }]), { code: 'InvalidKubeconfig', message });
  }
});

test('writing is atomic, private and keeps what is there', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'sub', 'config');
  const context = { name: 'arc', server: 'https://127.0.0.1:1', caPem: 'CA\n', clientCertificate: { certPem: 'CERT', keyPem: 'KEY' } };
  await writeKubeconfig(path, context);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(join(folder.path, 'sub')), ['config']);
  assert.notEqual(readPlainYaml(await readFile(path, 'utf8')), undefined, 'is read without the YAML parser');
  const read = async () => loadKubeconfig([{ path, text: await readFile(path, 'utf8') }]);
  const { name: _name, ...expected } = context;
  assert.deepEqual(await clientConfigOf(await read()), expected);

  await writeFile(path, `${first}preferences: {colors: true}\n`);
  await writeKubeconfig(path, { ...context, server: 'https://127.0.0.1:2' });
  await writeKubeconfig(path, { ...context, server: 'https://127.0.0.1:3', namespace: 'n' });
  const merged = await read();
  assert.deepEqual([merged.currentContext, [...merged.contexts.keys()]], ['one', ['one', 'arc']]);
  assert.deepEqual(await clientConfigOf(merged, { context: 'arc' }), { ...expected, server: 'https://127.0.0.1:3', namespace: 'n' });
  assert.match(await readFile(path, 'utf8'), /^preferences:\n  colors: true$/m);

  await writeFile(path, 'kind: Pod\n');
  await assert.rejects(writeKubeconfig(path, context), { code: 'InvalidKubeconfig' });
  assert.equal(await readFile(path, 'utf8'), 'kind: Pod\n');
});
