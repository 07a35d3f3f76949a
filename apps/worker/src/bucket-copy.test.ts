import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type CommandResult, digestOf, type Fault, runCommand, type S3Server, startS3Server } from '@arc/testkit';

const program = fileURLToPath(new URL('../bin/arc-worker.mjs', import.meta.url));
const user = { accessKeyId: 'AKID', secretAccessKey: 'the secret key', sessionToken: 'the session token' };
const large = randomBytes(20 * 1024 * 1024);

interface Setting extends AsyncDisposable {
  readonly source: S3Server;
  readonly destination: S3Server;
  readonly env: Record<string, string>;
  run(spec: Record<string, unknown>, env?: Record<string, string>): Promise<CommandResult>;
}

async function setUp(): Promise<Setting> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'arc-buckets-'));
  const source = await startS3Server({ users: [user] });
  const destination = await startS3Server({ users: [user] });
  await mkdir(join(folder.path, 'secret'));
  const keys = {
    AWS_ACCESS_KEY_ID: user.accessKeyId,
    AWS_SECRET_ACCESS_KEY: user.secretAccessKey,
    AWS_SESSION_TOKEN: user.sessionToken,
  };
  for (const [name, value] of Object.entries(keys)) await writeFile(join(folder.path, 'secret', name), `${value}\n`);
  const env = {
    ARC_SRC_TYPE: 's3',
    ARC_SRC_URL: `${source.url}/artifacts`,
    ARC_SRC_SECRET_DIR: join(folder.path, 'secret'),
    ARC_DST_TYPE: 's3',
    ARC_DST_URL: `${destination.url}/artifacts`,
    ARC_DST_SECRET_DIR: join(folder.path, 'secret'),
    ARC_STAGING_DIR: folder.path,
  };
  source.bucket().put('large', large);
  return {
    source,
    destination,
    env,
    run: (spec, more = {}) =>
      runCommand(process.execPath, [program, 'blob-copy'], { env: { ...env, ...more, ARC_SPEC_JSON: JSON.stringify(spec) } }),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([source.close(), destination.close(), folder[Symbol.asyncDispose]()]);
    },
  };
}

/** Starts a copy, and ends it by a signal when a part is being sent that is held back. */
async function endWhile({ env }: Setting, held: Fault, signal: NodeJS.Signals): Promise<number | null> {
  const child = spawn(process.execPath, [program, 'blob-copy'], {
    env: { ...env, ARC_SPEC_JSON: JSON.stringify({ path: 'large', digest: digestOf(large) }) },
    stdio: 'ignore',
  });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  await held.hit;
  child.kill(signal);
  return (await exited)[0];
}

test('a copy that is stopped takes its upload back; one that is killed leaves no object; the next one sends what is missing', async () => {
  await using setting = await setUp();
  const { destination } = setting;
  const never = new Promise<void>(() => {});
  const hold = (): Fault =>
    destination.faults.add({ match: { method: 'PUT', path: /partNumber=2/ }, action: { kind: 'hold', until: never } });
  assert.equal(await endWhile(setting, hold(), 'SIGTERM'), 143);
  assert.deepEqual([destination.bucket().objects.size, destination.bucket().uploads.size], [0, 0]);
  assert.equal(await endWhile(setting, hold(), 'SIGKILL'), null);
  assert.equal(destination.bucket().objects.size, 0);
  const left = [...destination.bucket().uploads.values()].flatMap(({ parts }) => [...parts.keys()]);
  destination.requests.clear();
  const { code, stderr } = await setting.run({ path: 'large', digest: digestOf(large) });
  assert.deepEqual([code, stderr, destination.bucket().bytes('large')?.equals(large)], [0, '', true]);
  assert.equal(destination.requests.matching({ method: 'PUT' }).length, 3 - left.length);
  assert.equal(destination.bucket().uploads.size, left.length === 0 ? 1 : 0);
});

test('what a bucket says wrongly is found out, and no key or token is in any output', async () => {
  await using setting = await setUp();
  const { source, destination } = setting;
  const outputs: CommandResult[] = [];
  const fail = async (spec: Record<string, unknown>, expected: RegExp, env: Record<string, string> = {}): Promise<void> => {
    const result = await setting.run(spec, env);
    outputs.push(result);
    assert.equal(result.code, 1, result.stdout);
    assert.match(result.stderr, expected);
  };
  source.faults.add({ match: { method: 'HEAD' }, action: { kind: 'headers', set: { 'content-length': '100' } } });
  await fail({ path: 'large', digest: digestOf(large) }, /source: read .*longer than the 100 bytes/);
  source.faults.add({ match: { method: 'HEAD' }, action: { kind: 'headers', set: { 'content-length': '99999999' } } });
  await fail({ path: 'large', digest: digestOf(large) }, /source: read .*ended after 20971520 of 99999999 bytes/);
  source.faults.add({ match: { method: 'GET' }, times: 9, action: { kind: 'corrupt' } });
  await fail({ path: 'large' }, /source: read .*wrong content: expected sha256:/);
  source.faults.clear();
  await fail({ path: '../other/x' }, /source: find .*not a key for an object/);
  await fail({ path: 'large', override: '../../x' }, /destination: .*not a key for an object/);
  await fail({ path: 'nothing' }, /source: look at .*NoSuchKey.* Check the path/);
  await fail({ path: 'large' }, /source: look at .*more than the 1000 bytes/, { ARC_MAX_BYTES: '1000' });
  await fail({ path: 'large' }, /destination: .*NoSuchBucket.*never made/, { ARC_DST_URL: `${destination.url}/missing` });
  destination.bucket().put('large', 'another');
  await fail({ path: 'large' }, /destination: write .*onConflict/);
  source.bucket().put('index/a/../b', 'x');
  await fail({ path: 'index/', override: 'copy' }, /source: find index\/a\/\.\.\/b: not a key for an object/);
  const said = outputs.map(({ stdout, stderr }) => `${stdout}${stderr}`).join('\n');
  for (const secret of [user.secretAccessKey, user.sessionToken, 'Signature=', 'AWS4-HMAC']) assert.ok(!said.includes(secret), secret);
  assert.deepEqual([destination.bucket().keys(), destination.bucket().uploads.size], [['large'], 0]);
});
