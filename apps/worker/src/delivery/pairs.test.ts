import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { digestOf, startFileServer, startS3Server, startTestRegistry } from '@arc/testkit';
import { blobCopy } from '../blob-copy.ts';
import { readEnvironment } from '../environment.ts';
import { pairs } from './pairs.ts';
import { verifyDelivery } from './verify-delivery.ts';

const user = { accessKeyId: 'reader', secretAccessKey: 'the password of tests' };
const tool = Buffer.alloc(50_000, 'tool');
const folder = await mkdtemp(join(tmpdir(), 'arc-pairs-'));
const web = await startFileServer({
  files: { '/src/tool 1.tgz': tool },
  writable: 'put',
  auth: { kind: 'basic', username: user.accessKeyId, password: user.secretAccessKey },
});
const s3 = await startS3Server({ users: [user], buckets: ['src', 'dst'] });
const registry = await startTestRegistry();
const disk = join(folder, 'dst');
await Promise.all([mkdir(join(folder, 'src')), mkdir(disk), mkdir(join(folder, 'secret')), mkdir(join(folder, 'staging'))]);
await writeFile(join(folder, 'src', 'tool 1.tgz'), tool);
await writeFile(join(folder, 'secret', 'username'), user.accessKeyId);
await writeFile(join(folder, 'secret', 'password'), user.secretAccessKey);
s3.bucket('src').put('tool 1.tgz', tool);
after(async () => {
  await Promise.all([web.close(), s3.close(), registry.close()]);
  await rm(folder, { recursive: true });
});

const sourceURLs: Readonly<Record<string, string>> = {
  http: `${web.url}/src`,
  s3: `${s3.url}/src`,
  file: join(folder, 'src'),
  oci: `${registry.url}/dst`,
};
const destinationURLs: Readonly<Record<string, string>> = {
  http: `${web.url}/dst`,
  s3: `${s3.url}/dst`,
  file: disk,
  oci: `${registry.url}/dst`,
};

/** What arrived, looked at from the other side. */
const arrived: Readonly<Record<string, (path: string) => Promise<Buffer | undefined> | Buffer | undefined>> = {
  http: (path) => web.files.get(`/dst/${path}`),
  s3: (path) => s3.bucket('dst').bytes(path),
  file: (path) => readFile(join(disk, path)),
  oci: () => registry.content.blob('dst/tools/tool', digestOf(tool)),
};

interface Step {
  readonly source: string;
  readonly destination: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** Runs both steps of a pipeline in this process and returns what they wrote. */
async function run(copy: typeof blobCopy, { source, destination, spec }: Step): Promise<string> {
  const lines: string[] = [];
  const receiptFile = join(folder, 'receipt.json');
  const env = {
    ARC_SRC_TYPE: source,
    ARC_SRC_URL: sourceURLs[source] ?? '',
    ARC_SRC_SECRET_DIR: source === 'oci' ? '' : join(folder, 'secret'),
    ARC_DST_TYPE: destination,
    ARC_DST_URL: destinationURLs[destination] ?? '',
    ARC_DST_SECRET_DIR: destination === 'oci' ? '' : join(folder, 'secret'),
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

await run(blobCopy, { source: 'file', destination: 'oci', spec: { path: 'tool 1.tgz', override: 'src:1' } });

for (const source of pairs.blob.source) {
  for (const destination of pairs.blob.destination) {
    test(`blob: from ${source} to ${destination}, and again without moving anything`, async () => {
      const from: Readonly<Record<string, string>> = { http: 'tool%201.tgz', oci: 'src:1' };
      const path = `from-${source}/tool 1.tgz`;
      const spec = {
        path: from[source] ?? 'tool 1.tgz',
        digest: digestOf(tool),
        override: destination === 'oci' ? `tools/tool:from-${source}` : path,
      };
      const said = await run(blobCopy, { source, destination, spec });
      assert.match(said, /^passed +digest[^]*^verified/m);
      assert.ok((await arrived[destination]?.(path))?.equals(tool));
      assert.match(await run(blobCopy, { source, destination, spec }), /already there/);
      assert.ok(!said.includes(user.secretAccessKey));
    });
  }
}

test('every other pair is refused before anything is asked', async () => {
  const spec = { path: 'x', override: 'x:1' };
  await assert.rejects(run(blobCopy, { source: 'helm', destination: 'oci', spec }), { code: 'InvalidConfiguration' });
  await assert.rejects(run(blobCopy, { source: 'http', destination: 'helm', spec }), { code: 'InvalidConfiguration' });
});
