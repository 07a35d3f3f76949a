import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayLeadTo, zoneOf } from './address-zone.ts';
import { parseRetryAfter } from './retry.ts';
import { nextPage, redactURL, resolveDerivedURL, resolveRealm } from './url-rules.ts';

const registry = new URL('https://registry.example.org/v2/');

test('tokens come from the own host, the own domain, or a trusted host, never over plain http', () => {
  for (const realm of ['https://registry.example.org/token', 'https://auth.example.org/token', '/token', 'https://trusted.net/token']) {
    assert.doesNotThrow(() => resolveRealm(registry, realm, ['trusted.net']), realm);
  }
  for (const realm of [
    'https://example.com/token',
    'http://auth.example.org/token',
    'https://example.org.evil.net/',
    'ftp://registry.example.org/',
    'https://u:p@registry.example.org/',
  ]) {
    assert.throws(() => resolveRealm(registry, realm, []), { code: 'UnsafeURL' }, realm);
  }
  assert.throws(() => resolveRealm(new URL('https://a.co.uk'), 'https://b.co.uk/token', []), { code: 'UnsafeURL' });
  assert.throws(() => resolveRealm(new URL('https://team.azurecr.io'), 'https://evil.azurecr.io/token', []), { code: 'UnsafeURL' });
  assert.throws(() => resolveRealm(new URL('http://10.0.0.1'), 'http://10.0.0.2/token', []), { code: 'UnsafeURL' });
  assert.doesNotThrow(() => resolveRealm(new URL('https://registry-1.docker.io'), 'https://auth.docker.io/token', []));
});

test('redirects keep their scheme or improve it', () => {
  assert.equal(resolveDerivedURL(registry, '../x', 'a redirect').href, 'https://registry.example.org/x');
  assert.throws(() => resolveDerivedURL(registry, 'http://registry.example.org/', 'a redirect'), { code: 'UnsafeURL' });
  assert.doesNotThrow(() => resolveDerivedURL(new URL('http://a/'), 'https://b/', 'a redirect'));
});

test('the next page is on the same origin', () => {
  assert.equal(nextPage(registry, '</v2/_catalog?last=b>; rel="next"')?.href, 'https://registry.example.org/v2/_catalog?last=b');
  assert.equal(nextPage(registry, '</x>; rel="prev"'), undefined);
  assert.equal(nextPage(registry, undefined), undefined);
  assert.throws(() => nextPage(registry, '<https://elsewhere.org/>; rel=next'), { code: 'UnsafeURL' });
});

test('URLs are shown without what may be a signature', () => {
  assert.equal(redactURL(new URL('https://u:p@bucket.example.org/a?X-Amz-Signature=abc')), 'https://bucket.example.org/a?…');
});

test('a server leads no further inside than it lies itself', () => {
  for (const [address, zone] of [
    ['93.184.216.34', 'public'],
    ['10.1.2.3', 'private'],
    ['fd12::1', 'private'],
    ['127.0.0.1', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['169.254.169.254', 'forbidden'],
    ['fd00:ec2::254', 'forbidden'],
    ['fe80::1', 'forbidden'],
    ['0.0.0.0', 'forbidden'],
    ['224.0.0.1', 'forbidden'],
  ] as const) {
    assert.equal(zoneOf(address), zone, address);
  }
  assert.equal(mayLeadTo('public', '10.0.0.1'), false);
  assert.equal(mayLeadTo('private', '10.0.0.1'), true);
  assert.equal(mayLeadTo('private', '127.0.0.1'), false);
  assert.equal(mayLeadTo('loopback', '169.254.169.254'), false);
  assert.equal(mayLeadTo('forbidden', '169.254.169.254'), false);
});

test('Retry-After is seconds or a date', () => {
  assert.equal(parseRetryAfter('120', 0), 120_000);
  assert.equal(parseRetryAfter('Thu, 01 Jan 1970 00:01:00 GMT', 10_000), 50_000);
  assert.equal(parseRetryAfter('soon', 0), undefined);
  assert.equal(parseRetryAfter(undefined, 0), undefined);
});
