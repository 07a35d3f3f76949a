import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '@arc/kernel';
import {
  type BuiltChart,
  buildChart,
  missingMinio,
  missingRclone,
  startFileServer,
  startMinio,
  startRcloneWebdav,
  startS3Server,
} from '@arc/testkit';
import { parse } from 'yaml';
import { FileDirectory } from '../files/file-directory.ts';
import type { FileStore } from '../files/file-store.ts';
import { HttpStore } from '../files/http-store.ts';
import { HttpTransport } from '../http/http-transport.ts';
import { Bucket } from '../s3/bucket.ts';
import { parseBucketURL } from '../s3/bucket-location.ts';
import { BucketStore } from '../s3/bucket-store.ts';
import { readChart } from './chart-archive.ts';
import type { PublishedChart } from './chart-repository.ts';
import { IndexDocument } from './index-document.ts';
import { readIndexEntries } from './index-file.ts';
import { isListed, publishChart, requirePublishable } from './publish-chart.ts';

const retry = { attempts: 3, initialMs: 1, maxMs: 2, maxRetryAfterMs: 1000 };
const now = Date.UTC(2026, 0, 2);

async function published(built: BuiltChart): Promise<PublishedChart> {
  const digest = built.digest as PublishedChart['digest'];
  return {
    ...(await readChart(built.archive, built.name)),
    location: built.name,
    archive: built.archive,
    digest,
    listedDigest: digest,
    provenance: undefined,
  };
}

const others = `apiVersion: v1
# written by hand
entries:
  podinfo:
  - apiVersion: v2
    appVersion: 1.10
    created: 2026-01-01T00:00:00.000000000Z
    digest: ${'a'.repeat(64)}
    name: podinfo
    urls:
    - https://elsewhere.example.org/podinfo-2.0.0.tgz
    version: 2.0.0
    x-unknown: [a, "1.0", no, 0x10, ~]
  - name: podinfo
    version: "0.9.0"
    urls: []
  "other":
  - {name: other, version: 1.0.0, appVersion: "1.0", deprecated: true}
generated: "2026-01-01T00:00:00Z"
`;

test('an entry is added in its place, and what others wrote stays as they wrote it', async () => {
  const chart = await published(
    buildChart('podinfo', '1.2.0', { metadata: 'appVersion: "1.10"\ndeprecated: true\nkeywords: [yes, "0"]\n' }),
  );
  const document = new IndexDocument(Buffer.from(others), 'index');
  assert.equal(document.presence(chart, 'podinfo-1.2.0.tgz'), 'absent');
  document.list(chart, 'podinfo-1.2.0.tgz', now);
  const text = document.toBuffer().toString('utf8');
  for (const line of others.split('\n').slice(0, -2))
    assert.ok(text.includes(line.replace('{name', '{ name').replace('true}', 'true }').replace('[a', '[ a').replace('~]', '~ ]')), line);
  const read = parse(text) as { entries: Record<string, Record<string, unknown>[]>; generated: string };
  assert.deepEqual(
    read.entries['podinfo']?.map(({ version }) => version),
    ['2.0.0', '1.2.0', '0.9.0'],
  );
  assert.deepEqual(read.entries['podinfo']?.[1], {
    name: 'podinfo',
    version: '1.2.0',
    description: 'a chart for tests',
    keywords: ['yes', '0'],
    apiVersion: 'v2',
    appVersion: '1.10',
    deprecated: true,
    type: 'application',
    created: '2026-01-02T00:00:00.000Z',
    digest: chart.digest.slice('sha256:'.length),
    urls: ['podinfo-1.2.0.tgz'],
  });
  assert.equal(read.generated, '2026-01-02T00:00:00.000Z');
  assert.equal(new IndexDocument(Buffer.from(text), 'index').presence(chart, 'podinfo-1.2.0.tgz'), 'same');
  assert.equal(readIndexEntries(text, 'podinfo', 'index')?.length, 3);
  const other = await published(buildChart('podinfo', '1.2.0'));
  assert.equal(new IndexDocument(Buffer.from(text), 'index').presence(other, 'podinfo-1.2.0.tgz'), 'different');
});

test('what is no index is not replaced', () => {
  for (const text of ['a: [', '- a', 'just text', 'entries: []', 'entries: {a: 1', 'a: 1\na: 2', '*x']) {
    assert.throws(() => new IndexDocument(Buffer.from(text), 'index'), { code: 'InvalidManifest' }, text);
  }
  assert.throws(() => new IndexDocument(Buffer.alloc(9 * 1024 * 1024, 'a: b\n'), 'index'), { code: 'TooLarge' });
  for (const text of ['', 'apiVersion: v1\nentries: {}\n', 'apiVersion: v1\nentries:\n', 'apiVersion: v1\n']) {
    assert.match(String(new IndexDocument(Buffer.from(text), 'index').toBuffer()), /apiVersion: v1/);
  }
});

/** Places that obey conditions, each with a store of its own for every writer. */
const places: readonly {
  readonly name: string;
  readonly skip: string | false;
  start(): Promise<{ open(): Promise<FileStore> } & AsyncDisposable>;
}[] = [
  {
    name: 'a directory',
    skip: false,
    start: async () => {
      const folder = await mkdtempDisposable(join(tmpdir(), 'arc-index-'));
      return { open: () => FileDirectory.open(folder.path), [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
    },
  },
  {
    name: 'a bucket',
    skip: false,
    start: async () => {
      const server = await startS3Server();
      const open = () => Promise.resolve(new BucketStore(new Bucket(parseBucketURL(`${server.url}/artifacts/charts`), { retry })));
      return { open, [Symbol.asyncDispose]: () => server.close() };
    },
  },
  {
    name: 'a bucket of MinIO',
    skip: missingMinio,
    start: async () => {
      const minio = await startMinio();
      const open = () =>
        Promise.resolve(new BucketStore(new Bucket(parseBucketURL(`${minio.url}/artifacts/charts`), { retry, access: minio.user })));
      return { open, [Symbol.asyncDispose]: () => minio[Symbol.asyncDispose]() };
    },
  },
  ...[{}, { conditions: false, locks: true }].map((options) => ({
    name: 'locks' in options ? 'a WebDAV server with locks' : 'a web server that obeys conditions',
    skip: false as const,
    start: async () => {
      const server = await startFileServer({ writable: 'webdav', ...options });
      const open = () => Promise.resolve(new HttpStore(new HttpTransport(new URL(server.url), { retry }), new URL('/', server.url)));
      return { open, [Symbol.asyncDispose]: () => server.close() };
    },
  })),
  {
    name: 'the WebDAV server of rclone',
    skip: missingRclone,
    start: async () => {
      const server = await startRcloneWebdav();
      const open = () => Promise.resolve(new HttpStore(new HttpTransport(new URL(server.url), { retry }), new URL('/charts/', server.url)));
      await (await fetch(`${server.url}/charts/`, { method: 'MKCOL' })).text();
      return { open, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
    },
  },
];

for (const { name, skip, start } of places) {
  test(`writers of the index of ${name} at the same moment lose no entry`, { skip }, async () => {
    await using place = await start();
    const charts = await Promise.all(Array.from({ length: 12 }, (_, index) => published(buildChart(`chart-${index % 3}`, `1.${index}.0`))));
    const added = await Promise.all(
      charts.map(async (chart) => publishChart(await place.open(), chart, { clock: systemClock, random: () => 0.05 })),
    );
    assert.ok(added.every(Boolean));
    const store = await place.open();
    for (const chart of charts) assert.ok(await isListed(store, chart), chart.version);
    const [first] = charts;
    assert.ok(first !== undefined);
    assert.equal(await publishChart(store, first, { clock: systemClock }), false);
    const changed = await published(buildChart(first.name, first.version, { metadata: 'home: https://example.org\n' }));
    await assert.rejects(requirePublishable(store, changed, 'fail'), { code: 'TagConflict' });
    assert.deepEqual(
      [await requirePublishable(store, changed, 'skip'), await requirePublishable(store, changed, 'overwrite')],
      ['skip', 'publish'],
    );
    await publishChart(store, changed, { clock: systemClock });
    assert.deepEqual([await isListed(store, changed), await isListed(store, first)], [true, false]);
  });
}
