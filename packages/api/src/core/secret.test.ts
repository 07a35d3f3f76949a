import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secretDefinition } from './secret.ts';
import type { Secret } from './secret.ts';

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

function secret(fields: Partial<Secret> = {}): Secret {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'default' }, ...fields };
}

function errorsOf(object: Secret): string[] {
  return (secretDefinition.strategy?.validate?.(object) ?? []).map(({ field, message }) => `${field}: ${message}`);
}

function updateErrorsOf(object: Secret, old: Secret): string[] {
  return (secretDefinition.strategy?.validateUpdate?.(object, old) ?? []).map(({ field, message }) => `${field}: ${message}`);
}

test('stringData is written into data, wins over it and is never kept', () => {
  const object = secret({ data: { a: base64('old'), b: base64('kept') }, stringData: { a: 'nëw', __proto__x: 'y' } });
  secretDefinition.strategy?.prepareForCreate?.(object);
  assert.deepEqual(object, secret({ type: 'Opaque', data: { a: base64('nëw'), b: base64('kept'), __proto__x: base64('y') } }));
});

test('an update without type keeps the type; a changed type is refused', () => {
  const old = secret({ type: 'kubernetes.io/tls' });
  const silent = secret();
  secretDefinition.strategy?.prepareForUpdate?.(silent, old);
  assert.equal(silent.type, 'kubernetes.io/tls');
  assert.deepEqual(updateErrorsOf(silent, old), []);
  assert.deepEqual(updateErrorsOf(secret({ type: 'Opaque' }), old), ['type: Invalid value: "Opaque": field is immutable']);
});

test('values that are not base64 are named by key and never quoted', () => {
  const [error = '', ...more] = errorsOf(secret({ data: { password: 'hunter2!', fine: base64('x') } }));
  assert.deepEqual(more, []);
  assert.match(error, /^data\[password\]: Invalid value/);
  assert.doesNotMatch(error, /hunter2/);
});

test('base64 with line breaks is accepted and stored without them', () => {
  const object = secret({ data: { a: 'aGVs\nbG8=\n' } });
  secretDefinition.strategy?.prepareForCreate?.(object);
  assert.deepEqual(object.data, { a: 'aGVsbG8=' });
  assert.deepEqual(errorsOf(object), []);
});

test('null maps, as an empty YAML key gives them, are absent maps', () => {
  const object = secret({ data: null, stringData: null } as unknown as Partial<Secret>);
  secretDefinition.strategy?.prepareForCreate?.(object);
  assert.deepEqual(object, secret({ type: 'Opaque' }));
});

test('keys must be usable as file names', () => {
  for (const key of ['a b', 'a/b', '', '.', '..', '..x', 'x'.repeat(254)]) {
    const errors = errorsOf(secret({ data: { [key]: '' } }));
    assert.ok(errors.length > 0, JSON.stringify(key));
    assert.ok(errors[0]?.startsWith(`data[${key}]: Invalid value`), errors[0]);
  }
  assert.deepEqual(errorsOf(secret({ data: { '.dockerconfigjson-2_X': '' } })), []);
});

test('the decoded size is capped at 1 MiB over all keys', () => {
  const half = Buffer.alloc(512 * 1024).toString('base64');
  assert.deepEqual(errorsOf(secret({ data: { a: half, b: half } })), []);
  assert.deepEqual(errorsOf(secret({ data: { a: half, b: half, c: base64('x') } })), [
    'data: Too long: may not be more than 1048576 bytes',
  ]);
});

test('types demand their keys', () => {
  assert.deepEqual(errorsOf(secret({ type: 'kubernetes.io/tls', data: { 'tls.crt': '' } })), ['data[tls.key]: Required value']);
  assert.deepEqual(errorsOf(secret({ type: 'kubernetes.io/basic-auth' })), [
    'data[username]: Required value',
    'data[password]: Required value',
  ]);
  assert.deepEqual(errorsOf(secret({ type: 'kubernetes.io/basic-auth', data: { username: base64('u') } })), []);
  const docker = (content: string) => secret({ type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': base64(content) } });
  assert.deepEqual(errorsOf(docker('{"auths":{}}')), []);
  assert.match(
    errorsOf(docker('{hunter2'))[0] ?? '',
    /^data\[\.dockerconfigjson\]: Invalid value: "<secret contents redacted>": must be valid JSON$/,
  );
});

test('an immutable Secret keeps its content and its immutability, not its labels', () => {
  const old = secret({ type: 'Opaque', immutable: true, data: { a: base64('1') } });
  assert.deepEqual(updateErrorsOf({ ...old, metadata: { ...old.metadata, labels: { x: 'y' } } }, old), []);
  assert.deepEqual(updateErrorsOf({ ...old, data: { a: base64('2') } }, old), [
    'data: Forbidden: field is immutable when `immutable` is set',
  ]);
  assert.deepEqual(updateErrorsOf({ ...old, immutable: false }, old), ['immutable: Forbidden: field is immutable when `immutable` is set']);
});
