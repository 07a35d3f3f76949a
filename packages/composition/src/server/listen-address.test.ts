import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseListenAddress } from './listen-address.ts';

test('parseListenAddress reads hosts, IPv6 and defaults to loopback', () => {
  assert.deepEqual(parseListenAddress('127.0.0.1:6443'), { host: '127.0.0.1', port: 6443 });
  assert.deepEqual(parseListenAddress(':0'), { host: '127.0.0.1', port: 0 });
  assert.deepEqual(parseListenAddress('[::1]:8443'), { host: '::1', port: 8443 });
  assert.deepEqual(parseListenAddress('arc.example.com:1'), { host: 'arc.example.com', port: 1 });
});

test('parseListenAddress refuses what is not HOST:PORT, with a hint', () => {
  for (const text of ['', '6443', 'host', 'host:', 'host:99999', '::1:80', 'a:b:1', 'host:-1']) {
    assert.throws(() => parseListenAddress(text), { code: 'InvalidListenAddress' }, text);
  }
});
