import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeKey, encodeQuery, signV4 } from './signature-v4.ts';

const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const at = { region: 'us-east-1', now: Date.UTC(2013, 4, 24) };

/** The examples of AWS, "Signature Calculations for the Authorization Header: Transferring Payload in a Single Chunk". */
const examples: readonly (readonly [string, string, Record<string, string>, string])[] = [
  ['GET', '/test.txt', { range: 'bytes=0-9' }, 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41'],
  [
    'PUT',
    '/test%24file.text',
    {
      date: 'Fri, 24 May 2013 00:00:00 GMT',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
    },
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  ],
  ['GET', '/?lifecycle=', {}, 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
  ['GET', '/?max-keys=2&prefix=J', {}, '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
];

test('requests are signed as in the examples of AWS', () => {
  for (const [method, path, headers, expected] of examples) {
    const url = new URL(path, 'https://examplebucket.s3.amazonaws.com');
    const signed = signV4({ method, url, headers: { ...headers, 'user-agent': 'x' } }, credentials, at);
    assert.equal(signed['authorization']?.split('Signature=')[1], expected, path);
  }
});

test('a session token is sent and signed; the secret is in nothing that is sent', () => {
  const url = new URL('https://examplebucket.s3.amazonaws.com/a');
  const signed = signV4({ method: 'GET', url, headers: {} }, { ...credentials, sessionToken: 'token' }, at);
  assert.equal(signed['x-amz-security-token'], 'token');
  assert.match(signed['authorization'] ?? '', /SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,/);
  assert.ok(!JSON.stringify(signed).includes(credentials.secretAccessKey));
});

test('keys and queries are encoded so that a URL keeps them as they are signed', () => {
  const key = "a b+c/ü!'()*~._-/%2F?#&=:@,;$";
  const url = new URL(`https://h/bucket/${encodeKey(key)}?${encodeQuery({ prefix: key, b: '', a: "'" })}`);
  assert.equal(url.pathname, `/bucket/${encodeKey(key)}`);
  assert.equal(decodeURIComponent(url.pathname), `/bucket/${key}`);
  assert.equal(url.search, `?${encodeQuery({ prefix: key, b: '', a: "'" })}`);
  assert.match(url.search, /^\?a=%27&b=&prefix=a%20b%2Bc%2F/);
});
