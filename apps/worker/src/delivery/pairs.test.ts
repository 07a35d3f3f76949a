import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { buildChart, digestOf, helmRepository, startFileServer, startS3Server, startTestRegistry } from '@arc/testkit';
import { blobCopy } from '../blob-copy.ts';
import { readEnvironment } from '../environment.ts';
import { helmCopy } from '../helm-copy.ts';
import { pairs } from './pairs.ts';
import { verifyDelivery } from './verify-delivery.ts';

const user = { accessKeyId: 'reader', secretAccessKey: 'the password of tests' };
const tool = Buffer.alloc(50_000, 'tool');
const chart = buildChart('podinfo', '1.2.0');
const folder = await mkdtemp(join(tmpdir(), 'arc-pairs-'));
const web = await startFileServer({
  files: { '/src/tool 1.tgz': tool, ...helmRepository([chart], { path: '/charts/' }) },
  writable: 'put',
  auth: { kind: 'basic', username: user.accessKeyId, password: user.secretAccessKey },
});
const s3 = await startS3Server({ users: [user], buckets: ['src', 'dst'] });
const origin = await startTestRegistry();
const registry = await startTestRegistry();
after(async () => {
  await Promise.all([web.close(), s3.close(), origin.close(), registry.close()]);
  await rm(folder, { recursive: true });
});

await Promise.all(['src', 'secret', 'staging'].map((name) => mkdir(join(folder, name))));
await writeFile(join(folder, 'secret', 'username'), user.accessKeyId);
await writeFile(join(folder, 'secret', 'password'), user.secretAccessKey);
for (const [path, content] of Object.entries({ '/tool 1.tgz': tool, ...helmRepository([chart]) })) {
  s3.bucket('src').put(path.slice(1), content);
  await writeFile(join(folder, 'src', path), content);
}

const sourceURLs: Readonly<Record<string, string>> = {
  http: `${web.url}/src`,
  helm: `${web.url}/charts`,
  s3: `${s3.url}/src`,
  file: join(folder, 'src'),
  oci: origin.url,
};
const destinationURLs: Readonly<Record<string, string>> = {
  http: web.url,
  helm: web.url,
  s3: `${s3.url}/dst`,
  file: folder,
  oci: registry.url,
};

/** A file as it arrived below `place`, looked at from the other side. */
const arrived: Readonly<Record<string, (place: string, path: string) => Promise<Buffer> | Buffer | undefined>> = {
  http: (place, path) => web.files.get(`/${place}/${path}`),
  helm: (place, path) => web.files.get(`/${place}/${path}`),
  s3: (place, path) => s3.bucket('dst').bytes(`${place}/${path}`),
  file: (place, path) => readFile(join(folder, place, path)),
  oci: (place, path) =>
    path === chart.fileName
      ? registry.content.blob(`${place}/podinfo`, chart.digest)
      : registry.content.blob(`${place}/tools/tool`, digestOf(tool)),
};

interface Step {
  readonly source: string;
  /** Type of the destination and path below it. */
  readonly destination: readonly [type: string, place: string];
  readonly spec: Readonly<Record<string, unknown>>;
}

/** Runs both steps of a pipeline in this process and returns what they say. */
async function run(copy: typeof blobCopy, { source, destination: [destination, place], spec }: Step): Promise<string> {
  const lines: string[] = [];
  const receiptFile = join(folder, `receipt-${randomUUID()}.json`);
  if (destination === 'file') await mkdir(join(folder, place), { recursive: true });
  const secret = (type: string): string => join(folder, type === 'oci' ? 'none' : 'secret');
  const env = {
    ARC_SRC_TYPE: source,
    ARC_SRC_URL: sourceURLs[source] ?? 'none',
    ARC_SRC_SECRET_DIR: secret(source),
    ARC_DST_TYPE: destination,
    ARC_DST_URL: place === '' ? origin.url : `${destinationURLs[destination]}/${place}`,
    ARC_DST_SECRET_DIR: secret(destination),
    ARC_SPEC_JSON: JSON.stringify(spec),
    ARC_RECEIPT_FILE: receiptFile,
    ARC_STAGING_DIR: join(folder, 'staging'),
  };
  const { signal } = new AbortController();
  await copy(readEnvironment(env), (line) => lines.push(line), signal);
  const receipt = await readFile(receiptFile, 'utf8');
  await verifyDelivery(readEnvironment({ ...env, ARC_RECEIPT_JSON: receipt }), (line) => lines.push(line), signal);
  return lines.join('\n');
}

await run(blobCopy, { source: 'file', destination: ['oci', ''], spec: { path: 'tool 1.tgz', override: 'src:1' } });
await run(helmCopy, { source: 'file', destination: ['oci', ''], spec: { chart: 'podinfo' } });

const paths: Readonly<Record<string, string>> = { http: 'tool%201.tgz', oci: 'src:1' };

for (const source of pairs.blob.source) {
  for (const destination of pairs.blob.destination) {
    test(`blob: from ${source} to ${destination}, and again without moving anything`, async () => {
      const override = destination === 'oci' ? 'tools/tool:1' : 'deep/tool 1.tgz';
      const step: Step = {
        source,
        destination: [destination, `from-${source}`],
        spec: { path: paths[source] ?? 'tool 1.tgz', digest: digestOf(tool), override },
      };
      const said = await run(blobCopy, step);
      assert.match(said, /^passed +digest[^]*^verified/m);
      assert.ok((await arrived[destination]?.(`from-${source}`, override))?.equals(tool));
      assert.match(await run(blobCopy, step), /already there/);
      assert.ok(!said.includes(user.secretAccessKey));
    });
  }
}

for (const source of pairs.helm.source) {
  for (const destination of pairs.helm.destination) {
    test(`helm: from ${source} to ${destination}, and again without moving anything`, async () => {
      const place = `charts-from-${source}`;
      const spec = { chart: 'podinfo', version: '^1.0', provenance: 'required' };
      const step: Step = { source, destination: [destination, place], spec };
      assert.match(await run(helmCopy, step), /^passed +digest[^]*^verified/m);
      assert.deepEqual(await arrived[destination]?.(place, chart.fileName), chart.archive);
      const again = await run(helmCopy, step);
      assert.match(again, /already there/);
      if (destination === 'oci') return;
      assert.match(again, /index\.yaml lists it already/);
      assert.deepEqual(await arrived[destination]?.(place, `${chart.fileName}.prov`), chart.provenance);
      assert.match(String(await arrived[destination]?.(place, 'index.yaml')), /version: "1\.2\.0"/);
    });
  }
}

test('all files below a path come along: as layers with their paths, or below the path that the order says', async () => {
  for (const [name, content] of [
    ['rules/a.yaml', 'a'],
    ['rules/deep/b c.yaml', 'b'],
    ['rules/deep/', ''],
    ['ruleset', 'no'],
  ] as const)
    s3.bucket('src').put(name, content);
  const spec = { path: 'rules/', override: 'rules/all:1' };
  const said = await run(blobCopy, { source: 's3', destination: ['oci', 'many'], spec });
  assert.match(said, /^passed +digest: 2 files[^]*^verified/m);
  const manifest = JSON.parse(String(registry.content.manifest('many/rules/all', '1')?.bytes)) as {
    layers: { annotations: Record<string, string> }[];
  };
  const titles = manifest.layers.map(({ annotations }) => annotations['org.opencontainers.image.title']);
  assert.deepEqual(titles, ['a.yaml', 'deep/b c.yaml']);
  await run(blobCopy, { source: 's3', destination: ['http', 'many'], spec: { path: 'rules/', override: 'current/' } });
  assert.equal(String(web.files.get('/many/current/deep/b c.yaml')), 'b');
  const none = { source: 's3', destination: ['http', 'many'], spec: { path: 'nothing/' } } as const;
  await assert.rejects(run(blobCopy, none), { code: 'NotFound' });
  await assert.rejects(run(blobCopy, { ...none, source: 'http', spec: { path: 'x/' } }), {
    code: 'InvalidReference',
    message: /cannot list/,
  });
});

test('every other pair is refused before anything is asked', async () => {
  const spec = { path: 'x', chart: 'x', override: 'x:1' };
  for (const [copy, source, destination] of [
    [blobCopy, 'helm', 'oci'],
    [blobCopy, 'http', 'helm'],
    [helmCopy, 'http', 'oci'],
    [helmCopy, 'helm', 'http'],
  ] as const) {
    await assert.rejects(run(copy, { source, destination: [destination, 'refused'], spec }), { code: 'InvalidConfiguration' });
  }
});

test('the shipped artifact types allow what the worker can do, and that of s3 has the pipeline of blob', async () => {
  const example = (path: string): Promise<string> => readFile(new URL(`../../../../examples/${path}`, import.meta.url), 'utf8');
  const listed = (text: string, name: string): string[] => (new RegExp(`${name}: \\[(.*)\\]`).exec(text)?.[1] ?? '').split(', ');
  for (const name of ['oci', 'blob', 'helm'] as const) {
    const type = await example(`${name}/artifact-type.yaml`);
    assert.deepEqual(
      [listed(type, 'srcTypes').sort(), listed(type, 'dstTypes').sort()],
      [pairs[name].source.toSorted(), pairs[name].destination.toSorted()],
    );
  }
  const [blob, s3Template] = await Promise.all(['blob', 's3'].map((name) => example(`${name}/cluster-workflow-template.yaml`)));
  const body = (text = ''): string =>
    text
      .slice(text.indexOf('kind:'))
      .replace(/name: (?:blob|s3)-pipeline/, '')
      .replace(/(name: (?:srcType|dstType)\n +value:) \w+/g, '$1');
  assert.equal(body(s3Template), body(blob));
});
