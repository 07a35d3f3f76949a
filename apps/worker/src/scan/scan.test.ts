import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildImage, type CommandResult, runCommand, seedRegistry, startFileServer, startTestRegistry } from '@arc/testkit';

const program = fileURLToPath(new URL('../../bin/arc-worker.mjs', import.meta.url));
const image = buildImage((platform) => [{ 'etc/platform': platform }]);
const other = buildImage([{ other: 'image' }]);

/** Runs steps of the worker one after the other, each with the receipt of the one before. */
function stepsIn(folder: string, environment: Record<string, string>) {
  const receiptFile = join(folder, 'receipt.json');
  return async (command: string, more: Record<string, string> = {}): Promise<CommandResult> => {
    const receipt = command.endsWith('-fetch') ? '' : await readFile(receiptFile, 'utf8');
    const env = { ARC_RECEIPT_FILE: receiptFile, ARC_WORK_DIR: join(folder, 'work'), ARC_RECEIPT_JSON: receipt, ...environment, ...more };
    return runCommand(process.execPath, [program, command], { env });
  };
}

test('an image is pushed only with a verdict, and only as it was fetched', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'arc-scan-'));
  await using source = await startTestRegistry();
  await using destination = await startTestRegistry();
  seedRegistry(source, 'demo/app', image, ['v1']);
  const step = stepsIn(folder.path, {
    ARC_SRC_URL: source.url,
    ARC_DST_URL: destination.url,
    ARC_SPEC_JSON: JSON.stringify({ image: 'demo/app:v1' }),
  });
  const verdict = join(folder.path, 'work', 'scan', 'verdict.txt');
  await mkdir(join(folder.path, 'work', 'scan'), { recursive: true });
  await writeFile(verdict, 'what an earlier attempt said');
  assert.equal((await step('oci-fetch')).code, 0);

  const unscanned = await step('oci-push', { ARC_SCANNER: 'trivy' });
  assert.equal(unscanned.code, 1);
  assert.match(unscanned.stderr, /^error: scan: there is no verdict of trivy; nothing was delivered/);
  await writeFile(verdict, ' \n');
  assert.equal((await step('oci-push', { ARC_SCANNER: 'trivy' })).code, 1);
  assert.equal(destination.content.has('demo/app'), false);

  await writeFile(verdict, 'fine\u001b[31m\u202e\n');
  const artifact = join(folder.path, 'work', 'artifact');
  const index = JSON.parse(await readFile(join(artifact, 'index.json'), 'utf8')) as { manifests: { digest: string; size: number }[] };
  for (const entry of index.manifests) entry.digest = other.digest;
  await writeFile(join(artifact, 'index.json'), JSON.stringify(index));
  seedRegistry(source, 'demo/app', other, ['v1']);
  const receipt = await readFile(join(folder.path, 'receipt.json'), 'utf8');
  const pushed = await step('oci-push', { ARC_SCANNER: 'trivy' });
  assert.equal(pushed.code, 0, pushed.stderr);
  assert.equal(destination.content.tags('demo/app').get('v1'), image.digest, 'neither the layout nor the source may name another one');
  const { checks } = JSON.parse(await readFile(join(folder.path, 'receipt.json'), 'utf8')) as { checks: unknown[] };
  assert.deepEqual(checks[1], { name: 'scan', result: 'passed', detail: `trivy on ${image.digest}: fine [31m` });

  await using empty = await startTestRegistry();
  const blobs = join(artifact, 'blobs', 'sha256');
  for (const name of await readdir(blobs)) {
    const bytes = await readFile(join(blobs, name));
    if (!bytes.toString('latin1').startsWith('{')) await writeFile(join(blobs, name), Buffer.alloc(bytes.length, 'x'));
  }
  const changed = await step('oci-push', { ARC_DST_URL: empty.url, ARC_RECEIPT_JSON: receipt, ARC_SCANNER: 'trivy' });
  assert.equal(changed.code, 1);
  assert.match(changed.stderr, /sha256/);
  assert.equal(empty.content.tags('demo/app').size, 0);
});

test('of several files exactly those that were fetched are delivered', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'arc-scan-'));
  const [from, to] = [join(folder.path, 'from'), join(folder.path, 'to')];
  await mkdir(join(from, 'news', 'old'), { recursive: true });
  await mkdir(to);
  await writeFile(join(from, 'news', 'a.txt'), 'a');
  await writeFile(join(from, 'news', 'old', 'b.txt'), 'b');
  const step = stepsIn(folder.path, {
    ...{ ARC_SRC_TYPE: 'file', ARC_SRC_URL: from, ARC_DST_TYPE: 'file', ARC_DST_URL: to },
    ARC_SPEC_JSON: JSON.stringify({ path: 'news/', override: 'in' }),
  });
  assert.equal((await step('blob-fetch')).code, 0);
  await writeFile(join(from, 'news', 'a.txt'), 'changed');
  await writeFile(join(folder.path, 'work', 'artifact', 'in', 'more.txt'), 'never fetched');
  const unscanned = await step('blob-push', { ARC_SCANNER: 'clamscan' });
  assert.match(unscanned.stderr, /there is no verdict of clamscan/);
  assert.deepEqual(await readdir(to), []);
  await writeFile(join(folder.path, 'work', 'scan', 'verdict.txt'), 'nothing found\n');
  const fetched = await readFile(join(folder.path, 'receipt.json'), 'utf8');
  const pushed = await step('blob-push', { ARC_SCANNER: 'clamscan' });
  assert.equal(pushed.code, 0, pushed.stderr);
  assert.deepEqual((await readdir(to, { recursive: true })).sort(), ['in', 'in/a.txt', 'in/old', 'in/old/b.txt']);
  assert.equal(await readFile(join(to, 'in', 'a.txt'), 'utf8'), 'a');
  const verified = await step('blob-verify');
  assert.equal(verified.code, 0, verified.stderr);

  await writeFile(join(folder.path, 'work', 'artifact', 'in', 'a.txt'), 'b');
  await writeFile(join(to, 'in', 'a.txt'), 'z');
  const changed = await step('blob-push', { ARC_SCANNER: 'clamscan', ARC_RECEIPT_JSON: fetched, ARC_ON_CONFLICT: 'overwrite' });
  assert.equal(changed.code, 1);
  assert.equal(await readFile(join(to, 'in', 'a.txt'), 'utf8'), 'z');
});

test('a dry run fetches nothing and says what would be pushed', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'arc-scan-'));
  await using server = await startFileServer({ files: { '/tool.txt': 'tool' } });
  await using registry = await startTestRegistry();
  const step = stepsIn(folder.path, {
    ...{ ARC_SRC_TYPE: 'http', ARC_SRC_URL: server.url, ARC_DST_URL: registry.url, ARC_DRY_RUN: 'true', ARC_SCANNER: 'clamscan' },
    ARC_SPEC_JSON: JSON.stringify({ path: 'tool.txt', override: 'tools/tool:v1' }),
  });
  assert.equal((await step('blob-fetch')).code, 0);
  const pushed = await step('blob-push');
  assert.match(pushed.stdout, /^skipped +scan: it was a dry run$/m);
  assert.equal((await step('blob-verify')).code, 0);
  assert.equal(registry.content.has('tools/tool'), false);
  const { checks } = JSON.parse(await readFile(join(folder.path, 'receipt.json'), 'utf8')) as { checks: { result: string }[] };
  assert.ok(checks.every(({ result }) => result === 'skipped'));
});
