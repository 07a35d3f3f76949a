import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { canonicalJson } from './canonical-json.ts';
import { contentHash } from './content-hash.ts';
import type { RunIdentity } from './content-hash.ts';
import { artifactWorkflowName, isLabelValue, workflowName } from './names.ts';
import { recordedDigest, secretDigest } from './secret-digest.ts';

const key = Buffer.from('0123456789abcdef');

/** The same value with the members of every object in another order. */
function shuffled(value: unknown, random: () => number): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, random));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .map(([name, member]) => [name, shuffled(member, random)] as const)
    .sort(() => random() - 0.5);
  return Object.fromEntries(entries);
}

test('canonical JSON is JSON of the same value and does not depend on the order of members', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (value, stream) => {
      const random = (): number => stream.next().value;
      const text = canonicalJson(value);
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      assert.equal(canonicalJson(shuffled(JSON.parse(JSON.stringify(value)), random)), text);
    }),
  );
});

test('canonical JSON tells different values apart', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const same = canonicalJson(a) === canonicalJson(b);
      assert.equal(same, isSameJson(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b))));
    }),
  );
});

function isSameJson(a: unknown, b: unknown): boolean {
  try {
    assert.deepEqual(a, b);
    return true;
  } catch {
    return false;
  }
}

const identity: RunIdentity = {
  namespace: 'team',
  template: { name: 'oci', clusterScope: true },
  parameters: [
    { name: 'a', value: '1' },
    { name: 'b', value: '2' },
  ],
  spec: { image: 'app:1', tags: ['x'] },
  source: { kind: 'Endpoint', name: 'src', type: 'oci', url: 'https://src', secretDigest: 'd1' },
  destination: { kind: 'Endpoint', name: 'dst', type: 'oci', url: 'https://dst' },
};

test('a content hash has 16 hex digits and is the same for the same configuration', () => {
  const hash = contentHash(identity);
  assert.match(hash, /^[0-9a-f]{16}$/);
  assert.equal(contentHash({ ...identity, parameters: [...identity.parameters].reverse(), spec: { tags: ['x'], image: 'app:1' } }), hash);
  assert.equal(contentHash({ ...identity, destination: { ...identity.destination, secretDigest: undefined } }), hash);
});

test('everything that decides the outcome changes the content hash', () => {
  const variants: RunIdentity[] = [
    identity,
    { ...identity, namespace: 'other' },
    { ...identity, template: { name: 'oci2', clusterScope: true } },
    { ...identity, template: { name: 'oci', clusterScope: false } },
    { ...identity, parameters: [{ name: 'a', value: '1' }] },
    {
      ...identity,
      parameters: [
        { name: 'a', value: '1' },
        { name: 'b', value: '3' },
      ],
    },
    { ...identity, spec: { image: 'app:2', tags: ['x'] } },
    { ...identity, spec: { image: 'app:1', tags: ['x', 'y'] } },
    { ...identity, source: identity.destination, destination: identity.source },
    { ...identity, source: { ...identity.source, name: 'src2' } },
    { ...identity, source: { ...identity.source, type: 's3' } },
    { ...identity, source: { ...identity.source, url: 'https://src/x' } },
    { ...identity, source: { ...identity.source, secretDigest: 'd2' } },
    { ...identity, source: { ...identity.source, secretDigest: undefined } },
    { ...identity, source: { ...identity.source, tls: { ca: ['AAAA'] } } },
    { ...identity, source: { ...identity.source, tls: { ca: ['AAAA', 'BBBB'] } } },
    { ...identity, source: { ...identity.source, tls: { serverName: 'a.example' } } },
    { ...identity, source: { ...identity.source, tls: { secretDigest: 'd' } } },
    { ...identity, destination: { ...identity.destination, tls: { ca: ['AAAA'] } } },
  ];
  assert.equal(new Set(variants.map(contentHash)).size, variants.length);
});

test('the digest of a Secret depends on its type and data, and on the key, and on nothing else', () => {
  const base = secretDigest(key, { type: 'Opaque', data: { a: 'QQ==', b: 'Qg==' } });
  assert.equal(secretDigest(key, { data: { b: 'Qg==', a: 'QQ==' } }), base, 'order of keys; the type defaults to Opaque');
  assert.equal(secretDigest(key, { type: 'Opaque', data: { a: 'QQ==\n', b: 'Qg' } }), base, 'spelling of base64');
  assert.notEqual(secretDigest(key, { type: 'x', data: { a: 'QQ==', b: 'Qg==' } }), base);
  assert.notEqual(secretDigest(key, { data: { a: 'QUI=' } }), secretDigest(key, { data: { aA: 'Qg==' } }), 'no two splits coincide');
  assert.notEqual(secretDigest(Buffer.from('fedcba9876543210'), { type: 'Opaque', data: { a: 'QQ==', b: 'Qg==' } }), base);
  assert.notEqual(recordedDigest(key, { namespace: 'n1', name: 's' }, base), recordedDigest(key, { namespace: 'n2', name: 's' }, base));
});

const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
const subdomain = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) =>
  labels
    .join('.')
    .slice(0, 253)
    .replace(/[-.]+$/, ''),
);

test('names of runs are legal, at most 63 characters, and keep Orders apart', () => {
  const legal = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
  fc.assert(
    fc.property(subdomain, subdomain, (one, other) => {
      const name = artifactWorkflowName(one, 'a'.repeat(16));
      assert.ok(name.length <= 63, name);
      assert.match(name, legal);
      assert.ok(isLabelValue(name), name);
      assert.equal(workflowName(name), name);
      assert.match(workflowName(one), legal);
      assert.ok(workflowName(one).length <= 63);
      if (one !== other) assert.notEqual(artifactWorkflowName(other, 'a'.repeat(16)), name);
      if (one.length <= 46) assert.equal(name, `${one}-${'a'.repeat(16)}`);
    }),
  );
});
