import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { version } from './version.ts';
import { readEnvironment } from './environment.ts';

const required = { ARC_SRC_URL: 'a.example.org', ARC_DST_URL: 'b.example.org', ARC_SPEC_JSON: '{}' };

test('what is not set has its documented default, and so has what is empty', () => {
  const expected = {
    source: {
      type: 'oci',
      url: 'a.example.org',
      secretDirectory: '/secrets/src',
      caFile: undefined,
      ca: undefined,
      serverName: undefined,
      insecureSkipTlsVerify: false,
      trustedHosts: [],
    },
    destination: {
      type: 'oci',
      url: 'b.example.org',
      secretDirectory: '/secrets/dst',
      caFile: undefined,
      ca: undefined,
      serverName: undefined,
      insecureSkipTlsVerify: false,
      trustedHosts: [],
    },
    specJSON: '{}',
    receiptFile: undefined,
    receiptJSON: undefined,
    policy: undefined,
    trustDirectory: '/secrets/trust',
    signingDirectory: '/secrets/signing',
    workflow: undefined,
    progressFile: undefined,
    progressFormat: 'text',
    proxy: undefined,
    referrers: 'best-effort',
    foreignLayers: 'skip',
    onConflict: 'fail',
    dryRun: false,
    maxBytesPerSecond: 0,
    minBytesPerSecond: 0,
    concurrency: 4,
    maxBytes: 0,
    imageRegistries: new Map(),
    stagingDirectory: tmpdir(),
    workDirectory: '/arc-work',
    scanner: undefined,
    chunkBytes: 0,
  };
  assert.deepEqual(readEnvironment(required), expected);
  assert.deepEqual(
    readEnvironment({ ...required, ARC_SRC_TYPE: '', ARC_REFERRERS: '', ARC_CONCURRENCY: '', ARC_SRC_SECRET_DIR: '' }),
    expected,
  );
});

test('every variable is read', () => {
  const environment = readEnvironment({
    ...required,
    ARC_SRC_TRUSTED_HOSTS: 'cdn.example.org, auth.example.org',
    ARC_DST_CA_FILE: '/ca.crt',
    ARC_SRC_CA: 'PEM',
    ARC_DST_SERVER_NAME: 'b.internal',
    ARC_DST_INSECURE_SKIP_TLS_VERIFY: 'true',
    ARC_RECEIPT_FILE: '/r',
    ARC_RECEIPT_JSON: '{"x":1}',
    ARGO_PROGRESS_FILE: '/p',
    ARC_REFERRERS: 'required',
    ARC_ON_CONFLICT: 'skip',
    ARC_DRY_RUN: 'true',
    ARC_MAX_BYTES_PER_SECOND: '1000000',
    ARC_MIN_BYTES_PER_SECOND: '1000',
    ARC_CONCURRENCY: '8',
    ARC_CHUNK_BYTES: '5242880',
  });
  assert.deepEqual(environment.source.trustedHosts, ['cdn.example.org', 'auth.example.org']);
  assert.deepEqual([environment.destination.caFile, environment.destination.insecureSkipTlsVerify], ['/ca.crt', true]);
  assert.deepEqual([environment.source.ca, environment.destination.serverName], ['PEM', 'b.internal']);
  assert.deepEqual([environment.receiptFile, environment.receiptJSON, environment.progressFile], ['/r', '{"x":1}', '/p']);
  assert.deepEqual([environment.referrers, environment.concurrency, environment.chunkBytes], ['required', 8, 5_242_880]);
  assert.deepEqual([environment.onConflict, environment.dryRun], ['skip', true]);
  assert.deepEqual([environment.maxBytesPerSecond, environment.minBytesPerSecond], [1_000_000, 1000]);
});

test('the least of the rates of step and endpoints counts', () => {
  const rate = (values: Record<string, string>): number => readEnvironment({ ...required, ...values }).maxBytesPerSecond;
  assert.equal(rate({ ARC_SRC_MAX_BYTES_PER_SECOND: '100', ARC_DST_MAX_BYTES_PER_SECOND: '50', ARC_MAX_BYTES_PER_SECOND: '70' }), 50);
  assert.equal(rate({ ARC_SRC_MAX_BYTES_PER_SECOND: '100', ARC_DST_MAX_BYTES_PER_SECOND: '', ARC_MAX_BYTES_PER_SECOND: '0' }), 100);
});

test('the shipped templates name this version and only variables that are read', async () => {
  const read = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), 'utf8');
  const folders = ['oci', 'helm', 'blob', 's3'];
  const templates = await Promise.all(folders.map((name) => read(`../../../examples/${name}/cluster-workflow-template.yaml`)));
  // The documents of upstream name three different paths; ours are these, read-only, in every step.
  for (const text of templates) {
    const mounts = [...text.matchAll(/- name: (\w+)-secret-vol\n +mountPath: (\S+)\n +readOnly: (\w+)/g)].map(([, ...mount]) =>
      mount.join(' '),
    );
    assert.deepEqual(new Set(mounts), new Set(['src /secrets/src true', 'dst /secrets/dst true']));
    assert.equal(mounts.length, text.match(/secret-vol/g)?.length);
    for (const name of ['CA', 'SERVER_NAME'])
      assert.equal(text.match(new RegExp(`name: ARC_(?:SRC|DST)_${name}$`, 'gm'))?.length, mounts.length, name);
  }
  const [template, source] = [templates.join('\n'), await read('./environment.ts')];
  const images = [...template.matchAll(/image: (\S+)/g)].map(([, image]) => image);
  assert.deepEqual(new Set(images), new Set([`ghcr.io/opendefensecloud/arc-worker:${version}`]));
  const names = [...template.matchAll(/name: (ARC_\w+)/g)].map(([, name = '']) => name);
  assert.ok(names.length > 0);
  for (const name of names) assert.ok(source.includes(`\`${name}\``), name);
});

test('registries of images are hosts, with another address where there is a mirror', () => {
  const { imageRegistries } = readEnvironment({
    ARC_SRC_URL: 'a',
    ARC_DST_URL: 'b',
    ARC_SPEC_JSON: '{}',
    ARC_IMAGE_REGISTRIES: 'Docker.io, quay.io=https://mirror.example.org/quay?a=b ,',
  });
  assert.deepEqual(
    [...imageRegistries],
    [
      ['docker.io', 'https://Docker.io'],
      ['quay.io', 'https://mirror.example.org/quay?a=b'],
    ],
  );
});
