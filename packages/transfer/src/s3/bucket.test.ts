import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { missingMinio, startMinio, startS3Server } from '@arc/testkit';
import { digestOf } from '../digest/digest.ts';
import { Bucket, type BucketOptions } from './bucket.ts';
import { parseBucketURL } from './bucket-location.ts';
import { BucketStore } from './bucket-store.ts';
import { listObjects } from './list-objects.ts';
import type { S3Credentials } from './signature-v4.ts';
import { childText } from './xml.ts';

const retry = { attempts: 3, initialMs: 1, maxMs: 2, maxRetryAfterMs: 1000 };
const user = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };

interface Service extends AsyncDisposable {
  readonly url: string;
  readonly user: S3Credentials;
}

const services: readonly { readonly name: string; readonly skip: string | false; start(): Promise<Service> }[] = [
  {
    name: 'the own stub',
    skip: false,
    start: async () => {
      const server = await startS3Server({ users: [user], pageSize: 3 });
      return { url: server.url, user, [Symbol.asyncDispose]: () => server.close() };
    },
  },
  { name: 'MinIO', skip: missingMinio, start: startMinio },
];

async function* pieces(bytes: Buffer, size = 700_001): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}

async function read(bucket: Bucket, key: string): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(bucket.file(key).read()));
}

for (const { name, skip, start } of services) {
  test(`a bucket of ${name}: objects, parts, conditions, listings and refusals`, { skip }, async (t) => {
    await using service = await start();
    const open = (options: Partial<BucketOptions> = {}, path = 'artifacts/zone a'): Bucket =>
      new Bucket(parseBucketURL(`${service.url}/${path}`), { access: service.user, retry, ...options });
    using bucket = open();
    const store = new BucketStore(bucket);
    const contentOf = (bytes: Buffer) => ({ digest: digestOf(bytes), size: bytes.length, open: () => pieces(bytes) });

    await t.test('small objects are written in one request and told by their digest', async () => {
      const bytes = randomBytes(100_000);
      const key = "tools/ä + 'b' (1)~!*=&%2F;@,:$.bin";
      assert.equal(await store.digest(key, digestOf(bytes)), undefined);
      await store.write(key, contentOf(bytes));
      assert.deepEqual(await bucket.head(key).then((head) => [head?.size, head?.sha256]), [bytes.length, digestOf(bytes)]);
      assert.equal(await store.digest(key, digestOf(bytes)), digestOf(bytes));
      assert.equal(await store.digest(key, digestOf(bytes), { readAgain: true }), digestOf(bytes));
      assert.equal(await store.digest(key, digestOf(bytes, 'sha512')), digestOf(bytes, 'sha512'));
      assert.deepEqual(await read(bucket, key), bytes);
      await store.write('empty', contentOf(Buffer.alloc(0)));
      assert.equal(await store.digest('empty', digestOf(bytes), { readAgain: true }), digestOf(Buffer.alloc(0)));
    });

    await t.test('large objects are written in parts', async () => {
      const bytes = randomBytes(17 * 1024 * 1024 + 1);
      await store.write('large', contentOf(bytes));
      assert.ok((await read(bucket, 'large')).equals(bytes));
      const head = await bucket.head('large');
      assert.deepEqual([head?.size, head?.sha256, head?.checksum?.endsWith('-3')], [bytes.length, undefined, true]);
      assert.equal(await store.digest('large', digestOf(bytes)), digestOf(bytes));
    });

    await t.test('what is there is not replaced unless told, nor what somebody changed meanwhile', async () => {
      const [one, two] = [Buffer.from('one'), Buffer.from('two')];
      const large = Buffer.alloc(9 * 1024 * 1024, 'x');
      await store.write('one', contentOf(one));
      await store.write('one', contentOf(one));
      await assert.rejects(store.write('one', contentOf(two)), { code: 'TagConflict', retryable: true });
      await assert.rejects(store.write('one', contentOf(large)), { code: 'TagConflict' });
      assert.deepEqual(await read(bucket, 'one'), one);
      await store.write('one', contentOf(large), { overwrite: true });
      assert.equal(await store.replace('index', one, undefined), true);
      const first = await store.readVersioned('index', 10);
      assert.deepEqual([first?.bytes, await store.replace('index', two, undefined)], [one, false]);
      assert.equal(await store.replace('index', two, first?.version), true);
      assert.equal(await store.replace('index', Buffer.from('three'), first?.version), false);
      assert.equal(await store.replace('gone', two, first?.version), false);
      assert.equal(await store.readVersioned('nothing', 10), undefined);
      assert.deepEqual(store.warnings, []);
      await assert.rejects(store.readVersioned('large', 10), { code: 'TooLarge' });
    });

    await t.test('an upload that fails leaves no parts and no object', async () => {
      const bytes = randomBytes(20 * 1024 * 1024);
      async function* broken(): AsyncGenerator<Buffer> {
        yield bytes.subarray(0, 18 * 1024 * 1024);
        throw new Error('the source broke');
      }
      await assert.rejects(store.write('broken', { ...contentOf(bytes), open: broken }), /the source broke/);
      await assert.rejects(store.write('broken', { ...contentOf(bytes), digest: digestOf(Buffer.from('x')) }), { code: 'DigestMismatch' });
      const stop = AbortSignal.abort(new Error('stopped'));
      await assert.rejects(store.write('broken', contentOf(bytes), { signal: stop }), /stopped/);
      assert.equal(await bucket.head('broken'), undefined);
      const uploads = await bucket.ask({ method: 'GET', query: { uploads: '', prefix: 'zone a/broken' }, operation: 'list uploads' });
      assert.deepEqual(
        uploads.children.filter((child) => child.name === 'Upload'),
        [],
      );
    });

    await t.test('what a killed worker left is taken up: only missing and different parts are sent', async () => {
      const bytes = randomBytes(40 * 1024 * 1024);
      const part = 8 * 1024 * 1024;
      const begun = await bucket.ask({
        method: 'POST',
        key: 'left',
        query: { uploads: '' },
        headers: { 'x-amz-checksum-algorithm': 'SHA256' },
        operation: 'x',
      });
      const uploadId = childText(begun, 'UploadId');
      const sendLeft = async (number: number, body: Buffer): Promise<void> => {
        const headers = bucket.checksumHeaders(createHash('sha256').update(body).digest());
        const query = { partNumber: String(number), uploadId };
        (await bucket.request({ method: 'PUT', key: 'left', query, headers, body, operation: 'x' })).discard();
      };
      for (const number of [1, 2, 3, 4]) await sendLeft(number, bytes.subarray((number - 1) * part, number * part));
      await sendLeft(2, Buffer.alloc(part, 'other'));
      let sent = 0;
      const counting = bucket.request.bind(bucket);
      bucket.request = (request) => {
        if (request.method === 'PUT') sent += 1;
        return counting(request);
      };
      await store.write('left', contentOf(bytes));
      assert.ok((await read(bucket, 'left')).equals(bytes));
      assert.equal(sent, 2);
    });

    await t.test('writers of one large object at the same moment all end well when it is the same, and one when it is not', async () => {
      const [one, two] = [randomBytes(17 * 1024 * 1024), randomBytes(17 * 1024 * 1024)];
      await Promise.all([1, 2, 3].map(() => store.write('same', contentOf(one))));
      assert.ok((await read(bucket, 'same')).equals(one));
      const outcomes = await Promise.allSettled([one, two].map((bytes) => store.write('either', contentOf(bytes))));
      const written = await read(bucket, 'either');
      assert.ok(written.equals(one) || written.equals(two));
      for (const [index, { status }] of outcomes.entries())
        if (status === 'fulfilled') assert.ok(written.equals(index === 0 ? one : two), `writer ${index}`);
    });

    await t.test('a listing has every key, page by page, and no other', async () => {
      const keys = ['list/a', 'list/a b+c', 'list/ä&<>"', 'list/b/1', 'list/b/2', 'list/b/3', 'list/b/4'];
      for (const key of keys) await bucket.put(key, Buffer.from(key));
      const list = async (prefix: string, limit = 100) =>
        (await Array.fromAsync(listObjects(bucket, prefix, { limit }))).map(({ key }) => key).sort();
      assert.deepEqual(await list('list/'), keys.toSorted());
      assert.deepEqual(await list('list/b/'), keys.slice(3));
      assert.deepEqual(await list('none'), []);
      await assert.rejects(list('list/', 6), { code: 'TooLarge' });
    });

    await t.test('wrong keys, buckets and clocks are told apart, with what to do', async () => {
      using stranger = open({ access: { accessKeyId: 'nobody', secretAccessKey: 'nothing' } });
      using wrong = open({ access: { ...service.user, secretAccessKey: 'hunter2hunter2' } });
      using anonymous = open({ access: undefined });
      using elsewhere = open({}, 'missing-bucket');
      using late = open({ clock: fixedClock(Date.now() - 3_600_000) });
      await assert.rejects(stranger.head('one'), { code: 'Unauthorized' });
      await assert.rejects(
        wrong.head('one'),
        (error: Error) => !error.message.includes('hunter2') && 'code' in error && error.code === 'Unauthorized',
      );
      await assert.rejects(anonymous.head('one'), { code: 'Forbidden' });
      await assert.rejects(elsewhere.requireObject('one'), { code: 'NotFound', message: /NoSuchBucket/, hint: /never made/ });
      await assert.rejects(elsewhere.put('one', Buffer.from('x')), { code: 'NotFound', message: /NoSuchBucket/ });
      await assert.rejects(bucket.requireObject('nothing'), { code: 'NotFound', message: /NoSuchKey/ });
      await assert.rejects(late.head('one'), { code: 'Unauthorized', message: /clock of this machine shows 60 minutes less than/ });
    });

    await t.test('a wrong region is corrected', async () => {
      using far = open({ region: 'eu-central-7' });
      assert.equal((await far.head('empty'))?.size, 0);
    });
  });
}

function fixedClock(now: number): NonNullable<BucketOptions['clock']> {
  return {
    now: () => now,
    monotonic: () => 0,
    after: () => ({ [Symbol.dispose]: () => {} }),
    sleep: () => Promise.resolve(),
  };
}
