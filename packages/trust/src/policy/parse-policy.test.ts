import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { parsePolicy } from './parse-policy.ts';
import { ruleFor } from './policy.ts';

const spki = { type: 'spki', format: 'pem' } as const;
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export(spki);
const files: Readonly<Record<string, string>> = { 'release.pub': String(key), 'broken.json': '{' };
const parse = (text: string) =>
  parsePolicy(text, (name) => Promise.resolve(Object.hasOwn(files, name) ? Buffer.from(files[name] ?? '') : undefined));

test('the first rule that matches decides', async () => {
  const policy = await parse(`
rules:
  - name: ours
    match: [registry.example.org/team/*, "*/mirror/*"]
    signatures: { by: [{ keyFile: release.pub }], on: platforms }
  - match: registry.example.org/*
    accept: unsigned
`);
  assert.equal(ruleFor(policy, 'registry.example.org/team/app')?.name, 'rules[0] (ours)');
  assert.equal(ruleFor(policy, 'other.example.org/mirror/app')?.signatures?.on, 'platforms');
  assert.equal(ruleFor(policy, 'registry.example.org/app')?.acceptsUnsigned, true);
  assert.equal(ruleFor(policy, 'other.example.org/app'), undefined);
  assert.match(policy.digest, /^sha256:[0-9a-f]{64}$/);
});

test('mistakes are named with their field', async () => {
  const rule = (body: object) => JSON.stringify({ rules: [{ match: '*', ...body }] });
  const by = [{ keyFile: 'release.pub' }];
  const pem = (type: 'rsa' | 'ec', options: object) =>
    String(generateKeyPairSync(type as 'rsa', options as { modulusLength: number }).publicKey.export(spki));
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /it is not an object/],
    ['rules: [', /cannot be read/],
    ['rules: []', /rules is not a list, or an empty one/],
    ['rules: [{match: a, match: b}]', /keys must be unique/],
    ['rules: [{match: &a x, accept: unsigned}, {match: *a, accept: unsigned}]', /cannot be read/],
    [rule({}), /rules\[0\] demands nothing; say accept: unsigned/],
    [rule({ match: '', accept: 'unsigned' }), /rules\[0\]\.match is not a pattern/],
    [rule({ accept: 'anything' }), /rules\[0\]\.accept can only be "unsigned"/],
    [rule({ accept: 'unsigned', signatures: { by } }), /demands something and accepts/],
    [
      rule({ signature: { by } }),
      /rules\[0\]\.signature is unknown; known here: name, match, accept, signatures, attestations, provenance/,
    ],
    [rule({ signatures: { by: [] } }), /rules\[0\]\.signatures\.by is not a list, or an empty one/],
    [rule({ signatures: {} }), /rules\[0\]\.signatures does not say by whom/],
    [rule({ signatures: { by, atLeast: 2 } }), /atLeast is not a whole number from 1 to 1/],
    [rule({ signatures: { by, atLeast: 0 } }), /atLeast is not a whole number/],
    [rule({ signatures: { by, on: 'index' } }), /on is "index", not one of reference, platforms, all/],
    [rule({ signatures: { by: [...by, { key }] } }), /by names somebody twice/],
    [rule({ signatures: { by: [{ keyFile: 'other.pub' }] } }), /names "other.pub", which the Secret with trusted keys does not have/],
    [rule({ signatures: { by: [{ keyFile: '../release.pub' }] } }), /not the name of a key of the Secret/],
    [rule({ signatures: { by: [{ key: 'x' }] } }), /by\[0\]\.key: it is no public key in PEM/],
    [rule({ signatures: { by: [{ key: `${key}${key}` }] } }), /more than one key/],
    [rule({ signatures: { by: [{ key: pem('rsa', { modulusLength: 1024 }) }] } }), /an RSA key of 1024 bits is too weak/],
    [rule({ signatures: { by: [{ key: pem('ec', { namedCurve: 'secp256k1' }) }] } }), /its curve secp256k1 is not supported/],
    [rule({ signatures: { by: [{ key, keyFile: 'release.pub' }] } }), /not exactly one of key, keyFile, or issuer/],
    [rule({ signatures: { by: [{ issuer: 'https://a', subject: 'b' }] } }), /no trustedRoot/],
    [rule({ signatures: { by: [{ issuer: 'https://a' }] } }), /not exactly one of subject and subjectPattern/],
    [
      rule({ signatures: { by: [{ key, transparencyLog: 'required' }] } }),
      /transparencyLog is required, and the policy has no trustedRoot/,
    ],
    [rule({ attestations: [{ by }] }), /attestations\[0\] has no predicateType/],
    [rule({ provenance: {} }), /provenance has not exactly one of keyring and keyringFile/],
    ['trustedRoot: broken.json\nrules: [{match: "*", accept: unsigned}]', /broken\.json, which is not valid JSON/],
    [
      'trustedRoot: {certificateAuthorities: []}\nrules: [{match: "*", accept: unsigned}]',
      /no trusted root of Sigstore: it lists no certificate authority/,
    ],
  ];
  for (const [text, message] of cases) await assert.rejects(parse(text), message, text);
});

test('a private key is refused, and not told', async () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await assert.rejects(parse(JSON.stringify({ rules: [{ match: '*', signatures: { by: [{ key: pem }] } }] })), (error: Error) => {
    assert.match(error.message, /it is a private key/);
    assert.ok(!error.message.includes(pem.slice(30, 60)));
    return true;
  });
});
