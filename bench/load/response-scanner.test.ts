import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ResponseScanner, type ScannedResponse } from './response-scanner.ts';

interface Scanned extends ScannedResponse {
  readonly body: string;
}

function scan(text: string, cuts: readonly number[]): readonly Scanned[] {
  const found: Scanned[] = [];
  let body = '';
  const scanner = new ResponseScanner({
    onBody: (part) => (body += part.toString('latin1')),
    onEnd: (response) => {
      found.push({ ...response, body });
      body = '';
    },
  });
  const bytes = Buffer.from(text, 'latin1');
  let from = 0;
  for (const to of [...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length]) {
    scanner.push(bytes.subarray(from, to));
    from = to;
  }
  return found;
}

const responses = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 204 No Content\r\nserver: x\r\n\r\n',
  'HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe\r\no\r\nb\r\n, and again\r\n0\r\n\r\n',
  'HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}',
];
const expected: readonly Scanned[] = [
  { status: 200, bytes: 5, body: 'hello' },
  { status: 204, bytes: 0, body: '' },
  { status: 201, bytes: 16, body: 'he\r\no, and again' },
  { status: 404, bytes: 2, body: '{}' },
];

test('finds the same responses wherever the stream is cut', () => {
  const text = responses.join('');
  fc.assert(
    fc.property(fc.array(fc.nat(text.length), { maxLength: 40 }), (cuts) => {
      assert.deepEqual(scan(text, cuts), expected);
    }),
  );
  assert.deepEqual(
    scan(
      text,
      Array.from(text, (_, index) => index),
    ),
    expected,
    'byte by byte',
  );
});

test('refuses what is not HTTP/1.1', () => {
  assert.throws(() => scan('HTTP/2 200\r\n\r\n', []), /not an HTTP\/1\.1 response/);
  assert.throws(() => scan('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n', []), /not the size of a chunk/);
});
