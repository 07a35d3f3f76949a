import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import { test } from 'node:test';
import { createStreams, readText } from './streams.ts';

test('input is read as UTF-8 whatever the chunks cut', async () => {
  const stdin = new PassThrough();
  const streams = createStreams({ stdin, stdout: new PassThrough(), stderr: new PassThrough(), environment: {} });
  const bytes = Buffer.from('größe');
  stdin.write(bytes.subarray(0, 3));
  stdin.end(bytes.subarray(3));
  assert.equal(await readText(streams.stdin), 'größe');
});

test('a reader that goes away closes the output quietly', async () => {
  const failing = new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })) });
  const { stdout } = createStreams({ stdin: new PassThrough(), stdout: failing, stderr: new PassThrough(), environment: {} });
  const closed = new Promise((resolve) => stdout.closed.addEventListener('abort', resolve));
  stdout.write('x');
  await closed;
  stdout.write('y');
  await stdout.drained();
});

test('drained waits for a slow reader', async () => {
  const slow = new PassThrough({ highWaterMark: 1 });
  const { stdout } = createStreams({ stdin: new PassThrough(), stdout: slow, stderr: new PassThrough(), environment: {} });
  stdout.write('more than one');
  let isDrained = false;
  const drained = stdout.drained().then(() => (isDrained = true));
  assert.equal(isDrained, false);
  slow.resume();
  await drained;
  assert.equal(isDrained, true);
});

test('what is not a terminal has a width all the same', () => {
  const { stdout } = createStreams({ stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough(), environment: {} });
  assert.equal(stdout.isTerminal, false);
  assert.equal(stdout.width, 80);
});
