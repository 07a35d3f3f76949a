import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type FileServer, startFileServer } from '@arc/testkit';
import { fixedCredential } from '../auth/credential.ts';
import { type Digest, digestOf } from '../digest/digest.ts';
import { HttpTransport, type HttpTransportOptions } from '../http/http-transport.ts';
import { isTransferError } from '../transfer-error.ts';
import { parseBaseURL, parseFileName, resolveBelow } from './base-url.ts';
import { digestFromChecksums } from './checksums.ts';
import { FileDirectory } from './file-directory.ts';
import { HttpFile, type HttpFileOptions } from './http-file.ts';
import { stageFile } from './staged-file.ts';

const content = randomBytes(400_000);
const retry = { attempts: 3, initialMs: 1, maxMs: 2, maxRetryAfterMs: 1000 };

async function folder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'arc-files-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

async function read(server: FileServer, path: string, options: HttpTransportOptions & HttpFileOptions = {}): Promise<Buffer> {
  using transport = new HttpTransport(new URL(server.url), { retry, ...options });
  const chunks: Buffer[] = [];
  for await (const chunk of new HttpFile(transport, new URL(path, server.url), options).read()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* streamOf(...parts: readonly (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part);
}

test('a broken download goes on where it broke, with or without ranges and validators', async () => {
  for (const options of [{}, { ranges: false }, { etags: false }]) {
    await using server = await startFileServer({ files: { '/a.bin': content }, ...options });
    server.faults.add({ match: { method: 'GET' }, times: 2, action: { kind: 'cut', afterBytes: 150_000 } });
    const offsets: number[] = [];
    const received = await read(server, '/a.bin', { onResume: ({ offset }) => offsets.push(offset) });
    assert.ok(received.equals(content), JSON.stringify(options));
    assert.equal(offsets.length, 2);
    assert.ok((offsets[0] ?? 0) > 0);
    const [, second] = server.requests.entries;
    assert.equal(second?.headers['range'], `bytes=${offsets[0]}-`);
    assert.equal(second?.headers['if-range'] !== undefined, options.etags !== false);
  }
});

test('a file that changes between two pieces is refused, not joined', async () => {
  await using server = await startFileServer({ files: { '/a.bin': content } });
  server.faults.add({ match: {}, action: { kind: 'cut', afterBytes: 100_000 } });
  const onResume = (): void => void server.files.set('/a.bin', randomBytes(400_000));
  await assert.rejects(read(server, '/a.bin', { onResume }), (error: unknown) => {
    assert.ok(isTransferError(error, 'UnexpectedAnswer'));
    assert.match(error.message, /changed while it was read/);
    return true;
  });
});

test('a range other than the one asked for is refused', async () => {
  await using server = await startFileServer({ files: { '/a.bin': content } });
  server.faults.add({ match: {}, action: { kind: 'cut', afterBytes: 100_000 } });
  server.faults.add({ match: {}, times: 9, action: { kind: 'headers', set: { 'content-range': 'bytes 5-9/400000' } } });
  await assert.rejects(read(server, '/a.bin'), { code: 'UnexpectedAnswer' });
});

test('a file without an announced size is read to its end; one beyond the limit is not', async () => {
  await using server = await startFileServer({ files: { '/a.bin': content } });
  server.faults.add({ match: {}, times: 2, action: { kind: 'headers', set: { 'content-length': undefined } } });
  assert.ok((await read(server, '/a.bin')).equals(content));
  await assert.rejects(read(server, '/a.bin', { maxBytes: 300_000 }), { code: 'TooLarge' });
  server.requests.clear();
  await assert.rejects(read(server, '/a.bin', { maxBytes: 300_000 }), { code: 'TooLarge' });
  assert.equal(server.requests.entries.length, 1);
});

test('what is not there is said so, as the file it is', async () => {
  await using server = await startFileServer();
  await assert.rejects(read(server, '/none.bin'), (error: unknown) => {
    assert.ok(isTransferError(error, 'NotFound'));
    assert.match(error.message, /has no such file/);
    return true;
  });
});

test('bytes that were encoded for the way are refused, but not an archive that is called so', async () => {
  await using server = await startFileServer({ files: { '/a.txt': content, '/a.tgz': content } });
  server.faults.add({ match: {}, times: 2, action: { kind: 'headers', set: { 'content-encoding': 'gzip' } } });
  await assert.rejects(read(server, '/a.txt'), { code: 'UnexpectedAnswer' });
  assert.ok((await read(server, '/a.tgz')).equals(content));
  assert.ok(server.requests.entries.every(({ headers }) => headers['accept-encoding'] === 'identity'));
});

test('credentials go to servers that hide instead of asking, when told to; and never to where they redirect', async () => {
  const credentials = fixedCredential({ kind: 'basic', username: 'me', password: 'the password' });
  await using hidden = await startFileServer({
    files: { '/a.bin': content },
    auth: { kind: 'basic', username: 'me', password: 'the password', hidden: true },
  });
  await assert.rejects(read(hidden, '/a.bin', { credentials }), { code: 'NotFound' });
  assert.ok((await read(hidden, '/a.bin', { credentials, preemptive: true })).equals(content));
  await using elsewhere = await startFileServer({ files: { '/a.bin': content } });
  hidden.faults.add({ match: {}, action: { kind: 'redirect', location: `${elsewhere.url}/a.bin` } });
  assert.ok((await read(hidden, '/a.bin', { credentials, preemptive: true })).equals(content));
  assert.equal(elsewhere.requests.entries[0]?.headers['authorization'], undefined);
  await using tokens = await startFileServer({ files: { '/a.bin': content }, auth: { kind: 'bearer', token: 'secret-token' } });
  assert.ok((await read(tokens, '/a.bin', { credentials: fixedCredential({ kind: 'bearer', token: 'secret-token' }) })).equals(content));
});

test('redirects to other schemes and with credentials are refused', async () => {
  await using server = await startFileServer({ files: { '/a.bin': content } });
  for (const location of [
    'file:///etc/passwd',
    'ftp://example.org/a',
    `http://me:pw@${server.host}/a.bin`,
    'http://169.254.169.254/latest',
  ]) {
    server.faults.add({ match: {}, action: { kind: 'redirect', location } });
    await assert.rejects(read(server, '/a.bin'), { code: 'UnsafeURL' }, location);
  }
});

test('a staged file has its digest, is readable by its owner alone, and is gone afterwards', async () => {
  await using place = await folder();
  const sha512: Digest = `sha512:${createHash('sha512').update('hello').digest('hex')}`;
  {
    await using staged = await stageFile(streamOf('he', 'llo'), 'x', { directory: place.path, expected: sha512 });
    assert.deepEqual([staged.size, staged.sha256], [5, digestOf(Buffer.from('hello'))]);
    const [made = ''] = await readdir(place.path);
    assert.equal((await stat(join(place.path, made))).mode & 0o777, 0o700);
    assert.equal((await stat(join(place.path, made, 'content'))).mode & 0o777, 0o600);
    const chunks: Buffer[] = [];
    for await (const chunk of staged.read()) chunks.push(chunk);
    assert.equal(String(Buffer.concat(chunks)), 'hello');
  }
  await assert.rejects(stageFile(streamOf('other'), 'x', { directory: place.path, expected: sha512 }), { code: 'DigestMismatch' });
  assert.deepEqual(await readdir(place.path), []);
});

test('checksums in the formats that are about', () => {
  const digest = digestOf(content);
  const hex = digest.slice(7);
  const other = 'a'.repeat(64);
  const sha512 = createHash('sha512').update(content).digest('hex');
  for (const text of [
    `${hex}  a.bin\n${other}  b.bin\n`,
    `${other} *xa.bin\r\n${hex} *./a.bin\r\n`,
    `${hex}  dist/release/a.bin\n`,
    `SHA256 (a.bin) = ${hex.toUpperCase()}\n`,
    `# comment\n\n${hex}\n`,
    `${sha512}  a.bin\n${hex}  a.bin\n`,
  ]) {
    assert.equal(digestFromChecksums(text, 'a.bin', 'SUMS'), digest, text);
  }
  assert.equal(digestFromChecksums(`${sha512}  a.bin`, 'a.bin', 'SUMS'), `sha512:${sha512}`);
  for (const text of [
    '',
    `${other}  b.bin`,
    `${'b'.repeat(32)}  a.bin`,
    `${hex}\n${other}\n`,
    `${hex}  a.bin\n${other}  a.bin\n`,
    '<html>',
  ]) {
    assert.throws(() => digestFromChecksums(text, 'a.bin', 'SUMS'), { code: 'InvalidDigest' }, text);
  }
});

test('a path stays below its endpoint', () => {
  const base = parseBaseURL('https://example.org/files');
  assert.equal(base.href, 'https://example.org/files/');
  assert.equal(resolveBelow(base, 'a/b.tgz').href, 'https://example.org/files/a/b.tgz');
  for (const path of [
    '../x',
    'a/../../x',
    '%2e%2e/x',
    '//evil.org/x',
    'https://evil.org/x',
    'a\\..\\..\\..\\x',
    'a/',
    '',
    'a?b',
    'a#b',
    '/../y',
  ]) {
    assert.throws(() => resolveBelow(base, path), { code: 'InvalidReference' }, path);
  }
  assert.equal(parseBaseURL('127.0.0.1:8080').href, 'http://127.0.0.1:8080/');
  assert.equal(parseBaseURL('example.org').href, 'https://example.org/');
  for (const text of ['', 'ftp://example.org', 'https://me:pw@example.org', 'https://example.org/?x=1', 'file:///etc']) {
    assert.throws(() => parseBaseURL(text), { code: 'InvalidEndpoint' }, text);
  }
  for (const name of ['', '.', '..', 'a/b', 'a\\b', 'a\u0000', 'c:x', 'a\nb', 'x'.repeat(256)]) {
    assert.throws(() => parseFileName(name), { code: 'InvalidReference' }, JSON.stringify(name));
  }
});

test('a directory holds complete files only, inside itself only, and overwrites only when told', async () => {
  await using place = await folder();
  const directory = await FileDirectory.open(`file://${place.path}`);
  const bytes = Buffer.from('hello');
  const file = { digest: digestOf(bytes), size: 5 };
  await directory.write('a/b.txt', { ...file, open: () => streamOf('hel', 'lo') });
  assert.equal(await readFile(join(place.path, 'a/b.txt'), 'utf8'), 'hello');
  assert.equal(await directory.digest('a/b.txt', file.digest), file.digest);
  assert.equal(await directory.digest('a/none', file.digest), undefined);
  await assert.rejects(directory.write('a/b.txt', { ...file, open: () => streamOf('hello') }), { code: 'TagConflict' });
  await directory.write('a/b.txt', { ...file, open: () => streamOf('hello') }, { overwrite: true });
  await assert.rejects(directory.write('c.txt', { ...file, open: () => streamOf('jello') }), { code: 'DigestMismatch' });
  await assert.rejects(directory.write('c.txt', { ...file, open: () => streamOf('hello!') }), { code: 'SizeMismatch' });
  assert.deepEqual((await readdir(place.path)).sort(), ['a']);
  assert.deepEqual(await readdir(join(place.path, 'a')), ['b.txt']);
  for (const path of ['../x', 'a/../../x', '/etc/x', 'a//b', '']) {
    await assert.rejects(directory.write(path, { ...file, open: () => streamOf('hello') }), { code: 'InvalidReference' }, path);
  }
  await using outside = await folder();
  await symlink(outside.path, join(place.path, 'link'));
  await assert.rejects(directory.write('link/x', { ...file, open: () => streamOf('hello') }), { code: 'InvalidReference' });
  assert.deepEqual(await readdir(outside.path), []);
  await mkdir(join(place.path, 'd'));
  await writeFile(join(place.path, 'd', 'x'), 'y');
  await assert.rejects(FileDirectory.open('https://example.org'), { code: 'InvalidEndpoint' });
  await assert.rejects(FileDirectory.open(join(place.path, 'none')), { code: 'NotFound' });
});

test('a small file of a directory is replaced only as it was read, and the lock of somebody who died is broken', async () => {
  await using place = await folder();
  const directory = await FileDirectory.open(place.path);
  const text = (value: string): Buffer => Buffer.from(value);
  assert.equal(await directory.readVersioned('a/index', 10), undefined);
  assert.equal(await directory.replace('a/index', text('one'), undefined), true);
  assert.equal(await directory.replace('a/index', text('two'), undefined), false);
  const first = await directory.readVersioned('a/index', 10);
  await writeFile(join(place.path, 'a/index.lock'), '');
  await utimes(join(place.path, 'a/index.lock'), new Date(), new Date(Date.now() - 60_000));
  const writers = Array.from({ length: 20 }, (_, index) => directory.replace('a/index', text(String(index)), first?.version));
  assert.equal((await Promise.all(writers)).filter(Boolean).length, 1);
  assert.deepEqual(await readdir(join(place.path, 'a')), ['index']);
  await assert.rejects(directory.readVersioned('a/index', 0), { code: 'TooLarge' });
});
