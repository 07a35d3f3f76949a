import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { memoryStreams } from '@arc/cli-kit';
import { systemClock } from '@arc/kernel';
import {
  buildBundleReferrer,
  buildImage,
  buildLegacySignature,
  buildReferrer,
  keyBundle,
  legacySignature,
  legacyTag,
  seedRegistry,
  signedStatement,
  simpleSigningPayload,
  startTestRegistry,
} from '@arc/testkit';
import type { TestRegistry } from '@arc/testkit';
import { copyArtifact, openEndpoint, parseEndpointURL } from '@arc/transfer';
import { runCli } from '../run-cli.ts';

const image = buildImage([{ x: 'y' }]);
const [release, stranger] = [generateKeyPairSync('ec', { namedCurve: 'P-256' }), generateKeyPairSync('ec', { namedCurve: 'P-256' })];
const transfer = 'https://arc.opendefense.cloud/attestations/transfer/v1';
let home = '';
let registry: TestRegistry;

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'arcctl-verify-'));
  registry = await startTestRegistry();
  seedRegistry(registry, 'team/app', image, ['v1']);
  seedRegistry(registry, 'team/bare', image, ['v1']);
  const payload = simpleSigningPayload(image.digest);
  seedRegistry(registry, 'team/app', buildLegacySignature([legacySignature(payload, release.privateKey)]), [
    legacyTag(image.digest, 'sig'),
  ]);
  const receipt = signedStatement(image.digest, { predicateType: transfer, predicate: { source: 'there' } }, release.privateKey);
  seedRegistry(registry, 'team/app', buildBundleReferrer(image, keyBundle({ dsseEnvelope: receipt })));
  const [platform] = image.platforms.values();
  assert.ok(platform !== undefined);
  seedRegistry(registry, 'team/app', buildReferrer(platform, 'application/spdx+json', '{}', { layerMediaType: 'application/spdx+json' }));
  await writeFile(join(home, 'release.pub'), release.publicKey.export({ type: 'spki', format: 'pem' }));
  await writeFile(join(home, 'stranger.pub'), stranger.publicKey.export({ type: 'spki', format: 'pem' }));
  const policy = { rules: [{ match: 'source.example.org/*', signatures: { by: [{ keyFile: 'release.pub' }] } }] };
  await writeFile(join(home, 'policy.yaml'), JSON.stringify(policy));
});
after(async () => {
  await registry.close();
  await rm(home, { recursive: true });
});

async function verify(...args: string[]) {
  const streams = memoryStreams();
  const signal = new AbortController().signal;
  const code = await runCli(['artifact', 'verify', ...args], { streams, environment: { HOME: home }, clock: systemClock, signal });
  return { code, stdout: streams.stdout.text, stderr: streams.stderr.text };
}

test('evidence is shown with its verdict; without anybody to check it by nothing is passed', async () => {
  const { code, stdout, stderr } = await verify(`${registry.host}/team/app:v1`);
  assert.equal(code, 1);
  assert.match(stderr, /Nothing was demanded, so nothing is verified/);
  assert.match(stdout, /^signature +skipped +itself /m);
  assert.match(stdout, new RegExp(`^receipt +skipped +itself +${transfer}`, 'm'));
  assert.match(stdout, /^sbom +skipped +platform sha256:\w+ +application\/spdx\+json/m);
  assert.doesNotMatch(stdout, /passed/);
  const bare = await verify(`${registry.host}/team/bare:v1`, '--key', join(home, 'release.pub'));
  assert.equal(bare.code, 1);
  assert.match(bare.stdout, /No evidence was found beside it/);
});

test('keys decide, and JSON holds what a receipt says only when it passed', async () => {
  const read = async (key: string) => {
    const { code, stdout } = await verify(`${registry.host}/team/app:v1`, '--key', join(home, key), '-o', 'json');
    return { code, ...(JSON.parse(stdout) as { result: string; evidence: { kind: string; result: string; predicate?: unknown }[] }) };
  };
  const good = await read('release.pub');
  assert.deepEqual([good.code, good.result], [0, 'passed']);
  assert.deepEqual(
    good.evidence.map(({ kind, result }) => `${result} ${kind}`),
    ['passed receipt', 'passed signature', 'skipped sbom'],
  );
  assert.deepEqual(good.evidence[0]?.predicate, { source: 'there' });
  const bad = await read('stranger.pub');
  assert.deepEqual([bad.code, bad.result], [1, 'failed']);
  assert.ok(bad.evidence.every(({ result, predicate }) => result !== 'passed' && predicate === undefined));
});

test('a signature of one platform is none of the whole', async () => {
  const [platform] = image.platforms.values();
  assert.ok(platform !== undefined);
  seedRegistry(registry, 'team/part', image, ['v1']);
  const signature = buildLegacySignature([legacySignature(simpleSigningPayload(platform.digest), release.privateKey)]);
  seedRegistry(registry, 'team/part', signature, [legacyTag(platform.digest, 'sig')]);
  const { code, stdout } = await verify(`${registry.host}/team/part:v1`, '--key', join(home, 'release.pub'));
  assert.match(stdout, /^signature +passed +platform sha256/m);
  assert.equal(code, 1);
  assert.equal((await verify(`${registry.host}/team/part@${platform.digest}`, '--key', join(home, 'release.pub'))).code, 0);
});

test('a policy decides by where the artifact came from', async () => {
  const policy = ['--policy', join(home, 'policy.yaml')];
  const good = await verify(`${registry.host}/team/app@${image.digest}`, ...policy, '--source', 'source.example.org/team/app');
  assert.deepEqual([good.code, good.stderr], [0, '']);
  assert.match(good.stdout, /^passed +signature: sha256/m);
  const elsewhere = await verify(`${registry.host}/team/app:v1`, ...policy);
  assert.equal(elsewhere.code, 1);
  assert.match(elsewhere.stdout, /^failed +policy: no rule of the policy speaks of/m);
  const missing = await verify(`${registry.host}/team/bare:v1`, ...policy, '--source', 'source.example.org/team/bare');
  assert.equal(missing.code, 1);
  assert.match(missing.stdout, /^failed +signature: .* has no signature at all/m);
});

test('an OCI layout, and receipts that a copy attached there', async () => {
  const layout = join(home, 'layout');
  using source = openEndpoint(parseEndpointURL(registry.url));
  using endpoint = openEndpoint(parseEndpointURL(`oci-layout://${layout}`));
  const destination = await endpoint.destination('');
  await copyArtifact(await source.source('team/app'), 'v1', destination, { tags: ['v1'] });
  const { code, stdout, stderr } = await verify(`${layout}:v1`, '--key', join(home, 'release.pub'));
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^receipt +passed/m);
  assert.match(stdout, /^signature +passed/m);
  assert.equal((await verify(`oci-layout://${layout}@${image.digest}`, '--key', join(home, 'stranger.pub'))).code, 1);
  assert.equal((await verify(layout)).code, 2);
});

test('wrong calls', async () => {
  assert.equal((await verify('team/app:v1')).code, 2);
  assert.equal((await verify(`${registry.host}/team/app:v9`)).code, 3);
  const key = await verify(`${registry.host}/team/app:v1`, '--key', join(home, 'policy.yaml'));
  assert.equal(key.code, 1);
  assert.match(key.stderr, /policy\.yaml: it is no public key in PEM/);
});
