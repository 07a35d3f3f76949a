import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeScopes, parseChallenges, parseScopes } from './challenge.ts';

test('challenges are parsed with quoted commas and several in one header', () => {
  const header =
    'Bearer realm="https://auth.example.org/token",service="a, \\"b\\"",scope="repository:c/d:pull repository:a/b:push,pull", Basic realm=plain';
  assert.deepEqual(parseChallenges(header), [
    {
      scheme: 'bearer',
      parameters: { realm: 'https://auth.example.org/token', service: 'a, "b"', scope: 'repository:c/d:pull repository:a/b:push,pull' },
    },
    { scheme: 'basic', parameters: { realm: 'plain' } },
  ]);
  assert.deepEqual(parseChallenges(''), []);
});

test('scopes are merged to one a repository, in one order', () => {
  const scopes = parseScopes('repository:c/d:pull repository:a/b:push,pull registry:catalog:*');
  assert.deepEqual(mergeScopes(scopes, [{ repository: 'c/d', actions: ['push'] }]), [
    { repository: 'a/b', actions: ['pull', 'push'] },
    { repository: 'c/d', actions: ['pull', 'push'] },
  ]);
});
