import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import {
  buildBundleReferrer,
  buildImage,
  buildLegacyAttestation,
  buildLegacySignature,
  buildReferrer,
  digestOf,
  keyBundle,
  legacySignature,
  legacyTag,
  messageSignature,
  signedEnvelope,
  signedStatement,
  simpleSigningPayload,
} from '@arc/testkit';
import type { BuiltImage } from '@arc/testkit';
import * as fc from 'fast-check';
import { MemoryRepository } from '../../test/memory-repository.ts';
import { TransferError } from '@arc/transfer';
import { collectEvidence } from '../evidence/collect.ts';
import { parsePolicy } from '../policy/parse-policy.ts';
import { signaturePredicateType } from './check-content.ts';
import { verifyImage } from './verify-image.ts';

const image = buildImage([{ a: 'b' }]);
const other = buildImage([{ a: 'c' }]);
const spdx = 'https://spdx.dev/Document';
const [release, audit, stranger] = [newKey(), newKey(), newKey()];

function newKey() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, pem: publicKey.export({ type: 'spki', format: 'pem' }) };
}

async function checked(repository: MemoryRepository, rule: object, options: { platforms?: string[] } = {}) {
  const policy = await parsePolicy(JSON.stringify({ rules: [{ match: 'registry.example.org/team/*', ...rule }] }), () =>
    Promise.resolve(undefined),
  );
  return verifyImage(repository, repository.manifest(image.digest), policy, { origin: 'source', ...options });
}

/** The one check of a rule, as `result: detail`. */
async function verdict(repository: MemoryRepository, rule: object, options: { platforms?: string[] } = {}): Promise<string> {
  const checks = await checked(repository, rule, options);
  assert.equal(checks.length, 1);
  return `${checks[0]?.result}: ${checks[0]?.detail}`;
}

const signedBy = (...keys: { pem: string | Buffer }[]) => ({ signatures: { by: keys.map(({ pem }) => ({ key: pem })) } });
const attestedBy = (...keys: { pem: string | Buffer }[]) => ({
  attestations: [{ predicateType: spdx, by: keys.map(({ pem }) => ({ key: pem })) }],
});
const repository = () => new MemoryRepository().put(image);
const legacy = (payload: Buffer, key = release.privateKey) => buildLegacySignature([legacySignature(payload, key)]);
const sig = legacyTag(image.digest, 'sig');
const bundle = (parts: { predicateType: string; subjectDigest?: string }, key = release.privateKey): BuiltImage =>
  buildBundleReferrer(image, keyBundle({ dsseEnvelope: signedStatement(image.digest, parts, key) }));

test('signatures of every format are found and checked', async () => {
  for (const [what, signed] of [
    ['a legacy tag', repository().put(legacy(simpleSigningPayload(image.digest)), sig)],
    ['a bundle with a statement', repository().put(bundle({ predicateType: signaturePredicateType }))],
    [
      'a bundle with a message signature',
      repository().put(buildBundleReferrer(image, keyBundle({ messageSignature: messageSignature(image.bytes, release.privateKey) }))),
    ],
  ] as const) {
    assert.match(await verdict(signed, signedBy(release)), /^passed: sha256:\w{64} by SHA256:/, what);
    assert.match(await verdict(signed, signedBy(stranger)), /^failed: .* was not made with key SHA256:/, what);
    assert.match(await verdict(signed, signedBy(stranger, release)), /^passed/, what);
  }
});

test('keys of every kind that is trusted', async () => {
  const pairs = [
    generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    generateKeyPairSync('ed25519'),
    generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ];
  for (const { privateKey, publicKey } of pairs) {
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    const signed = repository().put(legacy(simpleSigningPayload(image.digest), privateKey), sig);
    assert.match(await verdict(signed, signedBy({ pem })), /^passed/, privateKey.asymmetricKeyType);
    assert.match(await verdict(signed, signedBy(release)), /^failed/, privateKey.asymmetricKeyType);
  }
});

test('nothing at all says what is missing', async () => {
  assert.match(await verdict(repository(), signedBy(release)), /^failed: sha256:\w+ has no signature at all; it needs one by key SHA256:/);
});

test('what is signed is something else', async () => {
  const cases: readonly (readonly [string, MemoryRepository, RegExp])[] = [
    [
      'the digest of another image',
      repository().put(legacy(simpleSigningPayload(other.digest)), sig),
      /it signs the digest of something else/,
    ],
    [
      'a statement about another image',
      repository().put(bundle({ predicateType: signaturePredicateType, subjectDigest: other.digest })),
      /it is about something else/,
    ],
    [
      'an attestation instead of a signature',
      repository().put(bundle({ predicateType: spdx })),
      /it is an attestation of type https:\/\/spdx.dev\/Document, not a signature/,
    ],
    [
      'a payload of another type',
      repository().put(
        legacy(Buffer.from(simpleSigningPayload(image.digest).toString().replace('cosign container image signature', 'git commit'))),
        sig,
      ),
      /of another type/,
    ],
    [
      'a statement under another payload type',
      repository().put(
        buildBundleReferrer(
          image,
          keyBundle({
            dsseEnvelope: signedStatement(image.digest, { predicateType: signaturePredicateType }, release.privateKey, 'text/plain'),
          }),
        ),
      ),
      /its payload is text\/plain/,
    ],
    [
      'a simple-signing payload in an envelope',
      repository().put(
        buildBundleReferrer(image, keyBundle({ dsseEnvelope: signedEnvelope(simpleSigningPayload(image.digest), release.privateKey) })),
      ),
      /no in-toto statement/,
    ],
    ['a key that comes twice', repository().put(legacy(twice()), sig), /twice/],
    [
      'both spellings of the digest',
      repository().put(
        legacy(
          Buffer.from(
            simpleSigningPayload(image.digest).toString().replace('"image":{', `"image":{"Docker-manifest-digest":"${other.digest}",`),
          ),
        ),
        sig,
      ),
      /does not name one digest/,
    ],
    [
      'the bytes of another manifest',
      repository().put(buildBundleReferrer(image, keyBundle({ messageSignature: messageSignature(other.bytes, release.privateKey) }))),
      /was not made with/,
    ],
  ];
  for (const [what, signed, reason] of cases) {
    const found = await verdict(signed, signedBy(release));
    assert.match(found, /^failed/, what);
    assert.match(found, reason, what);
  }
});

function twice(): Buffer {
  const text = simpleSigningPayload(image.digest).toString();
  return Buffer.from(text.replace('"image":{', `"image":{"docker-manifest-digest":"${other.digest}",`));
}

test('evidence that cannot be read is a reason, and never counts', async () => {
  const payload = simpleSigningPayload(image.digest);
  const good = legacySignature(payload, release.privateKey);
  const annotated = (annotations: Record<string, string>) =>
    repository().put(buildLegacySignature([{ payload, annotations: { ...good.annotations, ...annotations } }]), sig);
  for (const [what, signed, reason] of [
    ['a huge annotation', annotated({ 'dev.sigstore.cosign/certificate': 'x'.repeat(100_000) }), /longer than 65536 characters/],
    ['no base64', annotated({ 'dev.cosignproject.cosign/signature': '!!!' }), /not base64/],
    [
      'a bundle of another version',
      repository().put(buildBundleReferrer(image, { mediaType: 'application/vnd.dev.sigstore.bundle.v9+json' })),
      /unknown version/,
    ],
    [
      'an envelope of a thousand signatures',
      repository().put(
        buildLegacyAttestation([{ payloadType: 'x', payload: 'AA==', signatures: Array.from({ length: 1000 }, () => ({ sig: 'AA==' })) }]),
        legacyTag(image.digest, 'att'),
      ),
      /more than 16 signatures/,
    ],
  ] as const) {
    const found = await verdict(signed, signedBy(release));
    assert.match(found, /^failed/, what);
    assert.match(found, reason, what);
  }
  const lying = repository().put(
    buildBundleReferrer(
      other,
      keyBundle({ dsseEnvelope: signedStatement(image.digest, { predicateType: signaturePredicateType }, release.privateKey) }),
    ),
  );
  const [listed] = await lying.listReferrers(lying.put(other).manifest(other.digest).descriptor);
  assert.ok(listed !== undefined);
  lying.refer(image.digest, listed);
  assert.match(await verdict(lying, signedBy(release)), /^failed: .*it refers to something else/);
});

test('a referrer that is damaged, or whose content is gone, does not hide the others', async () => {
  const good = legacy(simpleSigningPayload(image.digest));
  const damaged = repository().put(good, sig);
  damaged.refer(image.digest, { mediaType: 'x/y', digest: `sha256:${'1'.repeat(64)}`, size: 1 });
  damaged.put({ ...bundle({ predicateType: signaturePredicateType }), blobs: new Map() });
  damaged.broken.set(`sha256:${'1'.repeat(64)}`, new TransferError('InvalidManifest', 'it is not valid JSON'));
  assert.match(await verdict(damaged, signedBy(release)), /^passed/);
  assert.match(await verdict(damaged, signedBy(audit)), /^failed: .*it is not valid JSON.*no blob/);
  const refusing = repository();
  refusing.broken.set(sig, new TransferError('Forbidden', 'no'));
  const [check] = await checked(refusing, signedBy(release));
  assert.deepEqual([check?.result, /does not let tag .* be read/.test(check?.detail ?? '')], ['error', true]);
  assert.match(await verdict(refusing.put(bundle({ predicateType: signaturePredicateType })), signedBy(release)), /^passed/);
  const down = repository();
  down.broken.set(sig, new TransferError('ServerError', 'down', { retryable: true }));
  await assert.rejects(checked(down, signedBy(release)), { code: 'ServerError', retryable: true });
});

test('evidence that is too large is not read', async () => {
  const type = 'application/vnd.dev.sigstore.bundle.v0.3+json';
  const large = (bytes: number, fill: string) => buildReferrer(image, type, Buffer.alloc(bytes, fill), { layerMediaType: type });
  assert.match(await verdict(repository().put(large(9 * 1024 * 1024, ' ')), signedBy(release)), /^failed: .*larger than 8388608 bytes/);
  const many = ['a', 'b', 'c', 'd', 'e'].reduce((held, fill) => held.put(large(7 * 1024 * 1024, fill)), repository());
  const results = (await checked(many, signedBy(release)))[0]?.detail ?? '';
  assert.match(results, /not valid JSON.*and 2 more/);
  const { evidence } = await collectEvidence(many, many.manifest(image.digest), { origin: 'source' });
  assert.equal(evidence.filter(({ problem }) => problem === 'there are more than 33554432 bytes of evidence').length, 1);
});

test('one good signature among bad ones is enough, and two people are two people', async () => {
  const payload = simpleSigningPayload(image.digest);
  const both = repository().put(
    buildLegacySignature([
      legacySignature(simpleSigningPayload(other.digest), audit.privateKey),
      legacySignature(payload, release.privateKey),
      legacySignature(payload, release.privateKey),
    ]),
    sig,
  );
  const by = [{ key: release.pem }, { key: audit.pem }];
  assert.match(await verdict(both, { signatures: { by } }), /^passed/);
  assert.match(await verdict(both, { signatures: { by, atLeast: 2 } }), /^failed: .*needs a signature by 2 of .*, and has 1/);
  both.put(bundle({ predicateType: signaturePredicateType }, audit.privateKey));
  assert.match(await verdict(both, { signatures: { by, atLeast: 2 } }), /^passed/);
});

test('a signature of the index says nothing about its platforms where they are to be signed', async () => {
  const signed = repository().put(legacy(simpleSigningPayload(image.digest)), sig);
  const by = [{ key: release.pem }];
  assert.match(await verdict(signed, { signatures: { by } }), /^passed/);
  assert.match(await verdict(signed, { signatures: { by, on: 'platforms' } }), /^failed: .*no signature at all/);
  const [amd64, arm64] = [...image.platforms.values()].map(({ digest }) => digest);
  signed.put(legacy(simpleSigningPayload(amd64 ?? '')), legacyTag(amd64 ?? '', 'sig'));
  assert.match(await verdict(signed, { signatures: { by, on: 'platforms' } }), new RegExp(`^failed: ${arm64}`));
  assert.match(await verdict(signed, { signatures: { by, on: 'platforms' } }, { platforms: ['linux/amd64'] }), /^passed/);
  signed.put(legacy(simpleSigningPayload(arm64 ?? '')), legacyTag(arm64 ?? '', 'sig'));
  assert.match(await verdict(signed, { signatures: { by, on: 'all' } }), /^passed: each of 3 digests/);
});

test('an image without a platform, or in an index within the index, has to be signed like the others', async () => {
  const { digest, bytes, mediaType } = other.platforms.get('linux/amd64') ?? assert.fail();
  const [signedPlatform] = image.platforms.values();
  assert.ok(signedPlatform !== undefined);
  const list = (manifests: object[]): BuiltImage => {
    const document = { schemaVersion: 2, mediaType: image.mediaType, manifests };
    const index = Buffer.from(JSON.stringify(document));
    const manifest = { digest: digestOf(index), mediaType: image.mediaType, bytes: index };
    return { ...manifest, platforms: new Map(), manifests: [manifest], blobs: new Map() };
  };
  const entry = (built: { digest: string; mediaType: string; bytes: Buffer }, platform?: object) => ({
    mediaType: built.mediaType,
    digest: built.digest,
    size: built.bytes.length,
    ...(platform === undefined ? {} : { platform }),
  });
  const amd64 = { os: 'linux', architecture: 'amd64' };
  const stranger = { digest, mediaType, bytes };
  const nested = list([entry(stranger, amd64)]);
  const policy = await parsePolicy(
    JSON.stringify({ rules: [{ match: '*', signatures: { by: [{ key: release.pem }], on: 'platforms' } }] }),
    () => Promise.resolve(undefined),
  );
  for (const [index, expected] of [
    [list([entry(signedPlatform, amd64)]), 'passed'],
    [list([entry(signedPlatform, amd64), entry(stranger, { os: 'unknown', architecture: 'unknown' })]), 'passed'],
    [list([entry(signedPlatform, amd64), entry(stranger)]), 'failed'],
    [list([entry(signedPlatform, amd64), entry(nested, amd64)]), 'failed'],
    [list([entry(stranger, { os: 'unknown', architecture: 'unknown' })]), 'failed'],
    [list([]), 'failed'],
  ] as const) {
    const held = new MemoryRepository().put(image).put(other).put(nested).put(index);
    held.put(legacy(simpleSigningPayload(signedPlatform.digest)), legacyTag(signedPlatform.digest, 'sig'));
    const [found] = await verifyImage(held, held.manifest(index.digest), policy, { origin: 'source' });
    assert.equal(found?.result, expected, `${index.bytes.toString()}: ${found?.detail}`);
  }
});

test('how the signer called the image counts where the policy says so', async () => {
  const signed = repository().put(legacy(simpleSigningPayload(image.digest, 'registry.example.org/team/app:v1')), sig);
  const elsewhere = repository().put(legacy(simpleSigningPayload(image.digest, 'registry.example.org/other/app')), sig);
  const silent = repository().put(bundle({ predicateType: signaturePredicateType }));
  const by = [{ key: release.pem }];
  assert.match(await verdict(signed, { signatures: { by, signedAs: 'source' } }), /^passed/);
  assert.match(await verdict(elsewhere, { signatures: { by } }), /^passed/);
  assert.match(
    await verdict(elsewhere, { signatures: { by, signedAs: 'source' } }),
    /^failed: .*it was made for registry.example.org\/other\/app/,
  );
  assert.match(await verdict(elsewhere, { signatures: { by, signedAs: '*/other/*' } }), /^passed/);
  assert.match(await verdict(silent, { signatures: { by, signedAs: 'source' } }), /^failed: .*does not say what the image is called/);
});

test('attestations have to be of the demanded type, about the image, and signed', async () => {
  const attested = repository().put(bundle({ predicateType: spdx }));
  assert.match(await verdict(attested, attestedBy(release)), /^passed/);
  assert.match(await verdict(attested, attestedBy(audit)), /^failed/);
  assert.match(
    await verdict(attested, { attestations: [{ predicateType: 'https://cyclonedx.org/bom', by: [{ key: release.pem }] }] }),
    /^failed: .*it is of type https:\/\/spdx.dev/,
  );
  const tagged = repository().put(
    buildLegacyAttestation([signedStatement(image.digest, { predicateType: spdx }, release.privateKey)]),
    legacyTag(image.digest, 'att'),
  );
  assert.match(await verdict(tagged, attestedBy(release)), /^passed/);
  assert.match(
    await verdict(repository().put(bundle({ predicateType: spdx, subjectDigest: other.digest })), attestedBy(release)),
    /^failed: .*about something else/,
  );
  assert.match(
    await verdict(repository().put(legacy(simpleSigningPayload(image.digest)), sig), attestedBy(release)),
    /^failed: .*a signature, not an attestation/,
  );
});

test('a repository of which no rule speaks is refused, one that is accepted is skipped and not passed', async () => {
  const elsewhere = new MemoryRepository('registry.example.org/private/app').put(image);
  assert.match(await verdict(elsewhere, signedBy(release)), /^failed: no rule of the policy speaks of registry.example.org\/private\/app/);
  assert.match(await verdict(repository(), { accept: 'unsigned' }), /^skipped/);
});

test('whatever byte of signature, payload or envelope is another, it is not passed', async () => {
  const payload = simpleSigningPayload(image.digest);
  const { annotations } = legacySignature(payload, release.privateKey);
  const signature = Buffer.from(annotations['dev.cosignproject.cosign/signature'] ?? '', 'base64');
  const envelope = JSON.stringify(
    keyBundle({ dsseEnvelope: signedStatement(image.digest, { predicateType: signaturePredicateType }, release.privateKey) }),
  );
  const flip = (bytes: Buffer, at: number, bit: number) =>
    Buffer.from(bytes.map((byte, index) => (index === at % bytes.length ? byte ^ (1 << bit) : byte)));
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat({ max: 7 }), async (at, bit) => {
      const damaged = [
        buildLegacySignature([{ payload: flip(payload, at, bit), annotations }]),
        buildLegacySignature([
          { payload, annotations: { 'dev.cosignproject.cosign/signature': flip(signature, at, bit).toString('base64') } },
        ]),
      ];
      for (const manifest of damaged) assert.match(await verdict(repository().put(manifest, sig), signedBy(release)), /^failed/);
      const text = flip(Buffer.from(envelope), at, bit);
      const [, before = ''] = /^(.*"dsseEnvelope":)/.exec(envelope) ?? [];
      if (at % text.length < before.length) return;
      const referrer = buildRawReferrer(text);
      assert.match(await verdict(repository().put(referrer), signedBy(release)), /^failed/, text.toString());
    }),
    { numRuns: 150 },
  );
});

function buildRawReferrer(bytes: Buffer): BuiltImage {
  const type = 'application/vnd.dev.sigstore.bundle.v0.3+json';
  return buildReferrer(image, type, bytes, { layerMediaType: type });
}
