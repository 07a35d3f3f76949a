import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { artifactWorkflows, clusterArtifactTypes, endpoints, orders } from '@arc/api/arc';
import type { ArtifactWorkflow } from '@arc/api/arc';
import { clusterWorkflowTemplates } from '@arc/api/argo';
import { secrets } from '@arc/api/core';
import {
  buildBundleReferrer,
  buildChart,
  buildImage,
  buildLegacyAttestation,
  buildLegacySignature,
  buildReferrer,
  findTool,
  helmRepository,
  keyBundle,
  legacySignature,
  legacyTag,
  runCommand,
  seedRegistry,
  signedStatement,
  simpleSigningPayload,
  startFileServer,
  startTestRegistry,
} from '@arc/testkit';
import type { RegistryContent } from '@arc/testkit';
import { createEndpoints, endpoint, finishedOrder, installType, ociOrder, readExample, startWorld } from './support/world.ts';
import type { World } from './support/world.ts';

const cosign = findTool('cosign');
const release = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const receipts = generateKeyPairSync('ed25519');
const pem = (key: typeof release.publicKey): string => String(key.export({ type: 'spki', format: 'pem' }));
const spdx = 'https://spdx.dev/Document';
const transfer = 'https://arc.opendefense.cloud/attestations/transfer/v1';
const image = buildImage((platform) => [{ 'etc/platform': platform }]);
const unsigned = buildImage([{ unsigned: 'x' }]);

/** Signatures of the index and of each platform, an SBOM as it is and as an attestation, and a signature of the SBOM. */
function seedSigned(content: RegistryContent): void {
  seedRegistry({ content }, 'demo/app', image, ['v1']);
  for (const { digest } of image.manifests) {
    const signature = buildLegacySignature([legacySignature(simpleSigningPayload(digest), release.privateKey)]);
    seedRegistry({ content }, 'demo/app', signature, [legacyTag(digest, 'sig')]);
  }
  const statement = signedStatement(image.digest, { predicateType: spdx, predicate: { spdxVersion: 'SPDX-2.3' } }, release.privateKey);
  seedRegistry({ content }, 'demo/app', buildLegacyAttestation([statement]), [legacyTag(image.digest, 'att')]);
  seedRegistry({ content }, 'demo/app', buildBundleReferrer(image, keyBundle({ dsseEnvelope: statement })));
  const sbom = buildReferrer(image, 'application/spdx+json', '{"spdxVersion":"SPDX-2.3"}');
  seedRegistry({ content }, 'demo/app', sbom);
  seedRegistry({ content }, 'demo/app', buildReferrer(sbom, 'application/vnd.example.signature', 'signature of the SBOM'));
}

const policy = JSON.stringify({
  rules: [
    {
      match: '*/demo/*',
      signatures: { by: [{ name: 'release', key: pem(release.publicKey) }], on: 'all' },
      attestations: [{ predicateType: spdx, by: [{ name: 'release', keyFile: 'release.pub' }] }],
    },
  ],
});

async function createSecret({ client }: World, name: string, stringData: Record<string, string>): Promise<void> {
  await client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'default' }, stringData });
}

async function installVerifiedType(world: World): Promise<void> {
  const { client } = world;
  await client.create(clusterWorkflowTemplates, await readExample('oci', 'cluster-workflow-template.yaml'));
  const type = await readExample('oci', 'artifact-type.yaml');
  const spec = { ...(type as { spec?: object }).spec, parameters: [{ name: 'verificationPolicy', value: policy }] };
  await client.create(clusterArtifactTypes, { ...type, spec });
  await createSecret(world, 'arc-trust', { 'release.pub': pem(release.publicKey) });
  await createSecret(world, 'arc-signing-key', { 'signing.key': String(receipts.privateKey.export({ type: 'pkcs8', format: 'pem' })) });
}

for (const referrers of [true, false]) {
  test(`a signed image with SBOM and attestations arrives whole and verified, with a signed receipt; ${referrers ? 'with' : 'without'} the referrers API`, async (t) => {
    await using source = await startTestRegistry();
    await using destination = await startTestRegistry({ referrers });
    await using world = await startWorld();
    const { client } = world;
    seedSigned(source.content);
    seedRegistry(source, 'demo/unsigned', unsigned, ['v1']);
    await installVerifiedType(world);
    await createEndpoints(client, source.url, destination.url);
    await client.create(orders, ociOrder('signed', [{ image: 'demo/app:v1' }]));
    await client.create(orders, ociOrder('unsigned', [{ image: 'demo/unsigned:v1' }]));
    const finished = await finishedOrder(client, 'signed');
    assert.equal(finished.status?.phase, 'Succeeded', JSON.stringify(finished.status, null, 2));

    for (const digest of source.content.manifests('demo/app')) {
      const there = destination.content.manifest('demo/app', digest);
      assert.deepEqual(there?.bytes, source.content.manifest('demo/app', digest)?.bytes, digest);
    }
    for (const digest of source.content.blobs('demo/app')) {
      assert.deepEqual(destination.content.blob('demo/app', digest), source.content.blob('demo/app', digest), digest);
    }
    for (const [tag, digest] of source.content.tags('demo/app')) assert.equal(destination.content.tags('demo/app').get(tag), digest, tag);

    const runs = await client.list<ArtifactWorkflow>(artifactWorkflows, { namespace: 'default' });
    const receipt = JSON.parse(runs.items.find(({ status }) => status?.receipt !== undefined)?.status?.receipt ?? '') as {
      checks: { name: string; result: string }[];
      attestation: { reference: string; bundle: { dsseEnvelope: { payload: string } } };
    };
    assert.deepEqual(
      receipt.checks.map(({ name, result }) => `${result} ${name}`),
      [
        'passed signature',
        `passed attestation ${spdx}`,
        'passed content',
        'passed signature at the destination',
        `passed attestation ${spdx} at the destination`,
      ],
    );
    const statement = JSON.parse(Buffer.from(receipt.attestation.bundle.dsseEnvelope.payload, 'base64').toString()) as Record<
      string,
      unknown
    >;
    assert.equal(statement['predicateType'], transfer);
    assert.deepEqual(statement['subject'], [{ name: `${destination.host}/demo/app`, digest: { sha256: image.digest.slice(7) } }]);
    const referrer = receipt.attestation.reference.split('@')[1] ?? '';
    assert.ok(destination.content.manifest('demo/app', referrer) !== undefined);

    await writeFile(join(world.folder, 'release.pub'), pem(release.publicKey));
    await writeFile(join(world.folder, 'receipts.pub'), pem(receipts.publicKey));
    await t.test(
      'cosign verifies the evidence at the destination',
      { skip: cosign === undefined && 'cosign is not installed' },
      async () => {
        const reference = `${destination.host}/demo/app@${image.digest}`;
        const key = (name: string) => ['--key', join(world.folder, name), '--insecure-ignore-tlog', '--allow-http-registry'];
        for (const args of [
          ['verify', ...key('release.pub'), '--new-bundle-format=false', reference],
          ['verify-attestation', ...key('release.pub'), '--type', spdx, reference],
          ['verify-attestation', ...key('receipts.pub'), '--type', transfer, reference],
        ]) {
          const { code, stderr } = await runCommand(cosign ?? '', args, { env: { HOME: world.folder } });
          assert.equal(code, 0, `cosign ${args.join(' ')}: ${stderr}`);
        }
      },
    );
    const shown = await world.arcctl([
      'artifact',
      'verify',
      `${destination.host}/demo/app:v1`,
      '--key',
      join(world.folder, 'receipts.pub'),
    ]);
    assert.match(shown.stdout, /^receipt +passed +itself/m, shown.stderr);

    const refused = await finishedOrder(client, 'unsigned');
    assert.equal(refused.status?.phase, 'Failed');
    assert.match(
      JSON.stringify(refused.status),
      /source: verify \S+\/demo\/unsigned@sha256:\w+: signature failed: sha256:\w+ has no signature at all; it needs one by release\. Nothing was delivered\. Have it signed/,
    );
    assert.equal(destination.content.has('demo/unsigned'), false);
  });
}

test('files and charts get signed receipts, too: beside them, or as referrers', async (t) => {
  const tool = Buffer.alloc(100_000, 'tool');
  await using server = await startFileServer({
    files: { '/tool.tgz': tool, ...helmRepository([buildChart('podinfo', '1.2.0')], { path: '/charts/' }) },
  });
  await using registry = await startTestRegistry();
  await using disk = await mkdtempDisposable(join('/var/tmp', 'arc-e2e-disk-'));
  await using world = await startWorld();
  const { client } = world;
  await installType(client, 'helm');
  await installType(client, 'blob');
  await createSecret(world, 'arc-signing-key', { 'signing.key': String(receipts.privateKey.export({ type: 'pkcs8', format: 'pem' })) });
  await client.create(endpoints, endpoint('files', server.url, { type: 'http' }));
  await client.create(endpoints, endpoint('charts', `${server.url}/charts`, { type: 'helm' }));
  await client.create(endpoints, endpoint('disk', `file://${disk.path}`, { type: 'file' }));
  await client.create(endpoints, endpoint('dst', registry.url));
  await client.create(orders, {
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'Order',
    metadata: { name: 'mixed', namespace: 'default' },
    spec: {
      artifacts: [
        { type: 'blob', srcRef: { name: 'files' }, dstRef: { name: 'disk' }, spec: { path: 'tool.tgz' } },
        { type: 'helm', srcRef: { name: 'charts' }, dstRef: { name: 'dst' }, spec: { chart: 'podinfo', version: '1.2.0' } },
      ],
    },
  });
  const finished = await finishedOrder(client, 'mixed');
  assert.equal(finished.status?.phase, 'Succeeded', JSON.stringify(finished.status, null, 2));
  const runs = await client.list<ArtifactWorkflow>(artifactWorkflows, { namespace: 'default' });
  const kept = runs.items.map(
    ({ status }) => JSON.parse(status?.receipt ?? '{}') as { attestation?: { reference: string; bundle: unknown } },
  );
  const bundle = JSON.parse(await readFile(join(disk.path, 'tool.tgz.arc-receipt.sigstore.json'), 'utf8')) as unknown;
  assert.ok(kept.some(({ attestation }) => JSON.stringify(attestation?.bundle) === JSON.stringify(bundle)));
  const chart = registry.content.manifest('podinfo', '1.2.0')?.digest ?? '';
  const [receipt] = registry.content.referrers('podinfo', chart);
  assert.ok(kept.some(({ attestation }) => attestation?.reference === `${registry.host}/podinfo@${receipt?.digest}`));
  await t.test('cosign verifies both', { skip: cosign === undefined && 'cosign is not installed' }, async () => {
    await writeFile(join(world.folder, 'receipts.pub'), pem(receipts.publicKey));
    const key = ['--key', join(world.folder, 'receipts.pub'), '--insecure-ignore-tlog', '--type', transfer];
    const file = join(disk.path, 'tool.tgz');
    for (const args of [
      ['verify-blob-attestation', ...key, '--bundle', `${file}.arc-receipt.sigstore.json`, file],
      ['verify-attestation', ...key, '--allow-http-registry', `${registry.host}/podinfo@${chart}`],
    ]) {
      const { code, stderr } = await runCommand(cosign ?? '', args, { env: { HOME: world.folder } });
      assert.equal(code, 0, `cosign ${args.join(' ')}: ${stderr}`);
    }
  });
});
