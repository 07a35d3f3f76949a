import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import {
  buildBundleReferrer,
  buildImage,
  buildLegacySignature,
  createSigstore,
  keylessIssuer,
  keylessSubject,
  legacyTag,
  simpleSigningPayload,
} from '@arc/testkit';
import type { BuiltImage, KeylessBundle, KeylessOptions } from '@arc/testkit';
import * as fc from 'fast-check';
import { MemoryRepository } from '../../test/memory-repository.ts';
import { EvidenceError } from '../evidence/untrusted.ts';
import { parsePolicy } from '../policy/parse-policy.ts';
import { verifyImage } from '../verify/verify-image.ts';
import { readBundle } from './read-bundle.ts';
import { openTrustedRoot } from './trusted-root.ts';

const image = buildImage([{ a: 'b' }]);
const sigstore = createSigstore();
const [now, minute] = [Date.UTC(2026, 0, 1), 60_000];
const payload = Buffer.from(
  JSON.stringify({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { sha256: image.digest.slice(7) } }],
    predicateType: 'https://sigstore.dev/cosign/sign/v1',
    predicate: {},
  }),
);
const simple = simpleSigningPayload(image.digest);
const identity = { issuer: keylessIssuer, subject: keylessSubject };

async function verdict(signed: BuiltImage | object, options: { by?: object; trustedRoot?: unknown } = {}): Promise<string> {
  const repository = new MemoryRepository().put(image);
  if ('manifests' in signed) repository.put(signed as BuiltImage, legacyTag(image.digest, 'sig'));
  else repository.put(buildBundleReferrer(image, signed));
  const text = JSON.stringify({
    trustedRoot: options.trustedRoot ?? sigstore.trustedRoot,
    rules: [{ match: '*', signatures: { by: [options.by ?? identity] } }],
  });
  const policy = await parsePolicy(text, () => Promise.resolve(undefined));
  const [check] = await verifyImage(repository, repository.manifest(image.digest), policy, { origin: 'source' });
  return `${check?.result}: ${check?.detail}`;
}

const bundle = (options: KeylessOptions = {}) => sigstore.signStatement(payload, options);
const legacy = (options: KeylessOptions = {}) =>
  buildLegacySignature([{ payload: simple, annotations: sigstore.signPayload(simple, options) }]);
const without = (...names: string[]) =>
  Object.fromEntries(Object.entries(sigstore.trustedRoot).map(([name, value]) => [name, names.includes(name) ? [] : value]));

test('identities are verified by certificate, log and time, in every form they come in', async () => {
  const passed = new RegExp(`^passed: ${image.digest} by ${keylessSubject} \\(${keylessIssuer}\\)$`);
  assert.match(await verdict(bundle()), passed);
  assert.match(await verdict(bundle({ timestamp: true })), passed);
  assert.match(await verdict(bundle({ log: 'proof', timestamp: true })), passed);
  assert.match(await verdict(legacy()), passed);
  assert.match(await verdict(legacy({ timestamp: true })), passed);
  assert.match(await verdict(bundle({ log: 'none', timestamp: true }), { trustedRoot: without('tlogs') }), passed);
  assert.match(await verdict(bundle({ withoutCertificateTimestamp: true }), { trustedRoot: without('ctlogs') }), passed);
  assert.match(await verdict(bundle({ timestamp: true }), { trustedRoot: without('timestampAuthorities') }), passed);
  assert.match(
    await verdict(bundle({ log: 'proof', timestamp: true }), { trustedRoot: without('timestampAuthorities') }),
    /^failed: .*timestamps/,
  );
});

test('somebody else, or vouched for by somebody else', async () => {
  const pattern = (subjectPattern: string) => ({ by: { issuer: keylessIssuer, subjectPattern } });
  assert.match(await verdict(bundle(), pattern('https://github\\.com/team/app/.*')), /^passed/);
  assert.match(await verdict(bundle(), pattern('github\\.com/team/app')), /^failed: .*it was made by https:\/\/github.com/);
  assert.match(
    await verdict(bundle({ subject: `https://evil.example.org/?${keylessSubject}` })),
    /^failed: .*it was made by https:\/\/evil/,
  );
  assert.match(await verdict(bundle({ issuer: 'https://issuer.example.org' })), /^failed: .*it was made by/);
});

test('times: a certificate counts for when it was used, and only a signed time says when that was', async () => {
  assert.match(await verdict(bundle({ at: now + 11 * minute })), /^failed: .*verify certificate chain/);
  assert.match(await verdict(bundle({ at: now - minute })), /^failed/);
  assert.match(await verdict(bundle({ log: 'none' })), /^failed/);
  assert.match(await verdict(bundle({ log: 'none', timestamp: true })), /^failed: .*tlog entries/);
  assert.match(await verdict(bundle({ log: 'proof' })), /^failed: .*timestamps/, 'a proof does not cover the time of an entry');
  const long = { at: now + 800 * 24 * 60 * minute, issuedAt: now + 800 * 24 * 60 * minute - minute };
  assert.match(await verdict(bundle(long)), /^failed/, 'the authority was not valid any more');
});

test('a log entry about something else, another authority, a certificate for something else', async () => {
  assert.match(await verdict(bundle({ logged: Buffer.from('other') })), /^failed: .*payload hash mismatch/);
  assert.match(await verdict(legacy({ logged: Buffer.from('other') })), /^failed: .*digest mismatch/);
  const mixed = bundle();
  mixed.verificationMaterial.tlogEntries = bundle().verificationMaterial.tlogEntries;
  assert.match(await verdict(mixed), /^failed: .*signature mismatch/);
  const twice = bundle();
  twice.verificationMaterial.tlogEntries.push(...twice.verificationMaterial.tlogEntries);
  assert.match(await verdict(twice), /^failed/);
  assert.match(await verdict(createSigstore().signStatement(payload)), /^failed/);
  assert.match(await verdict(bundle({ withoutCertificateTimestamp: true })), /^failed: .*SCT/);
  assert.match(await verdict(bundle({ usage: '1.3.6.1.5.5.7.3.1' })), /^failed: .*not for signing code/);
  const other = Buffer.from(payload.toString().replace(image.digest.slice(7), '0'.repeat(64)));
  assert.match(await verdict(sigstore.signStatement(other)), /^failed: .*about something else/);
});

test('a timestamp of another signature', async () => {
  const moved = bundle({ timestamp: true });
  moved.verificationMaterial.timestampVerificationData = bundle({ timestamp: true }).verificationMaterial.timestampVerificationData;
  assert.match(await verdict(moved), /^failed: .*timestamp could not be verified/);
});

test('signatures by key have to be in a log where the policy says so', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = String(publicKey.export({ type: 'spki', format: 'pem' }));
  const by = { by: { key, transparencyLog: 'required' } };
  const mixed = bundle({ key: privateKey });
  mixed.verificationMaterial.tlogEntries = bundle({ key: privateKey }).verificationMaterial.tlogEntries;
  for (const [what, signed, expected] of [
    ['a bundle with an entry', bundle({ key: privateKey }), /^passed/],
    ['an entry with a proof', bundle({ key: privateKey, log: 'proof' }), /^passed/],
    ['annotations with an entry', legacy({ key: privateKey }), /^passed/],
    ['no entry', bundle({ key: privateKey, log: 'none' }), /^failed: .*expected 1 tlog entries/],
    ['annotations without one', legacy({ key: privateKey, log: 'none' }), /^failed: .*no entry of a log/],
    ['an entry about something else', bundle({ key: privateKey, logged: Buffer.from('x') }), /^failed: .*payload hash mismatch/],
    ['the entry of another signature', mixed, /^failed: .*signature mismatch/],
    ['an entry of another log', createSigstore().signStatement(payload, { key: privateKey }), /^failed/],
  ] as const) {
    assert.match(await verdict(signed, by), expected, what);
    if (what.startsWith('no entry')) assert.match(await verdict(signed, { by: { key } }), /^passed/, what);
  }
  assert.match(await verdict(bundle(), by), /^failed: .*was not made with/);
});

test('whatever byte of certificate, signature, payload or log entry is another, it is not passed', async () => {
  const root = await openTrustedRoot(sigstore.trustedRoot, 'the test');
  const good = JSON.stringify(bundle());
  const verify = (damaged: object) => root.verify(readBundle(damaged as Record<string, unknown>, image.bytes)).subject;
  type Part = (from: KeylessBundle) => { get(): string; set(value: string): void };
  const parts: readonly Part[] = [
    ({ verificationMaterial: { certificate } }) => ({
      get: () => certificate.rawBytes,
      set: (value) => void (certificate.rawBytes = value),
    }),
    ({ dsseEnvelope }) => ({ get: () => dsseEnvelope.payload, set: (value) => void (dsseEnvelope.payload = value) }),
    ({ dsseEnvelope: { signatures } }) => ({
      get: () => signatures[0]?.sig ?? '',
      set: (value) => void (signatures[0] = { sig: value }),
    }),
    ({ verificationMaterial: { tlogEntries } }) => ({
      get: () => String(tlogEntries[0]?.['canonicalizedBody']),
      set: (value) => void (tlogEntries[0] = { ...tlogEntries[0], canonicalizedBody: value }),
    }),
  ];
  assert.equal(verify(JSON.parse(good) as object), keylessSubject);
  fc.assert(
    fc.property(fc.constantFrom(...parts), fc.nat(), fc.nat({ max: 7 }), (part, at, bit) => {
      const damaged = JSON.parse(good) as KeylessBundle;
      const { get, set } = part(damaged);
      const bytes = Buffer.from(get(), 'base64');
      const index = at % bytes.length;
      bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
      set(bytes.toString('base64'));
      assert.throws(() => verify(damaged), EvidenceError);
    }),
    { numRuns: 100 },
  );
});
