import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { digestOf } from '../digest/digest.ts';
import { parseEndpointURL, repositoryAt, withoutHost } from './endpoint-url.ts';
import { formatImageReference, parseImageReference } from './image-reference.ts';

const digest = digestOf(Buffer.from('x'));

test('image references are read as every client reads them', () => {
  for (const [text, expected] of [
    ['app', { repository: 'app', tag: 'latest', digest: undefined }],
    ['team/app:v1.2', { repository: 'team/app', tag: 'v1.2', digest: undefined }],
    [`team/app@${digest}`, { repository: 'team/app', tag: undefined, digest }],
    [`team/app:v1@${digest}`, { repository: 'team/app', tag: 'v1', digest }],
    ['a/b__c/d-e.f:T', { repository: 'a/b__c/d-e.f', tag: 'T', digest: undefined }],
  ] as const) {
    assert.deepEqual(parseImageReference(text), expected, text);
  }
});

test('what no registry takes is refused before anything is asked', () => {
  for (const text of [
    '',
    'App',
    'a//b',
    '/a',
    'a/',
    'a/../b',
    'a:',
    'a:-x',
    `a:${'x'.repeat(129)}`,
    'a b',
    'a@sha256:123',
    'a@md5:00',
    `a@${digest.toUpperCase()}`,
    'x'.repeat(300),
  ]) {
    assert.throws(() => parseImageReference(text), /not a (repository|tag|digest)/, text);
  }
});

test('parse undoes format', () => {
  const word = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,4})?$/);
  const reference = fc.record({
    repository: fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
    tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/), { nil: undefined }),
    digest: fc.option(fc.constant(digest), { nil: undefined }),
  });
  fc.assert(
    fc.property(reference, (written) => {
      const tag = written.tag ?? (written.digest === undefined ? 'latest' : undefined);
      assert.deepEqual(parseImageReference(formatImageReference(written)), { ...written, tag });
    }),
  );
});

test('remote URLs: https unless http is written out or the host is loopback', () => {
  for (const [text, origin, prefix] of [
    ['https://registry.example.org', 'https://registry.example.org', ''],
    ['https://registry.example.org/team/zone/', 'https://registry.example.org', 'team/zone'],
    ['http://registry.example.org:5000', 'http://registry.example.org:5000', ''],
    ['registry.example.org/team', 'https://registry.example.org', 'team'],
    ['127.0.0.1:5000', 'http://127.0.0.1:5000', ''],
    ['localhost:5000/x', 'http://localhost:5000', 'x'],
    ['oci://registry.example.org', 'https://registry.example.org', ''],
    ['docker.io', 'https://registry-1.docker.io', ''],
    ['https://registry.example.org/v2/', 'https://registry.example.org', ''],
  ] as const) {
    const location = parseEndpointURL(text);
    assert.ok(location.kind === 'registry', text);
    assert.deepEqual([location.origin.origin, location.prefix], [origin, prefix], text);
  }
  for (const [text, directory] of [
    ['oci-layout:///srv/images', '/srv/images'],
    ['file:///srv/a%20b', '/srv/a b'],
    ['/srv/images/', '/srv/images'],
    ['./images', resolve('images')],
  ] as const) {
    assert.deepEqual(parseEndpointURL(text), { kind: 'layout', directory }, text);
  }
});

test('remote URLs that cannot be used are refused without quoting credentials', () => {
  for (const text of [
    '',
    's3://bucket',
    'https://',
    'https://ada:hunter2@example.org',
    'ftp://ada:hunter2@example.org',
    'https://example.org?x=1',
    'https://example.org/Team',
    'oci-layout://relative',
  ]) {
    assert.throws(
      () => parseEndpointURL(text),
      (error: Error) => !error.message.includes('hunter2') && /cannot be used|not a repository/.test(error.message),
      text,
    );
  }
});

test('repositories are relative to the endpoint; its own host may be repeated, another may not', () => {
  const at = (url: string, image: string): string => {
    const location = parseEndpointURL(url);
    assert.ok(location.kind === 'registry');
    return repositoryAt(location, withoutHost(location, image));
  };
  assert.equal(at('https://example.org/zone', 'team/app'), 'zone/team/app');
  assert.equal(at('https://example.org/zone', 'example.org/zone/team/app'), 'zone/team/app');
  assert.equal(at('docker.io', 'alpine'), 'library/alpine');
  assert.equal(at('docker.io', 'docker.io/grafana/grafana'), 'grafana/grafana');
  assert.equal(at('https://mirror.example.org', 'ghcr.io/team/app'), 'ghcr.io/team/app');
  assert.throws(() => at('https://example.org', 'other.example.org:5000/app'), { code: 'InvalidReference' });
});
