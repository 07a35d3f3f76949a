import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildImage, findProgram, findTool, runCommand, seedRegistry, startDockerRegistry, startTestRegistry } from '@arc/testkit';
import { copyArtifact, openEndpoint, parseEndpointURL } from '@arc/transfer';
import { parseSigningKey } from '../keys/signing-key.ts';
import { parsePolicy } from '../policy/parse-policy.ts';
import { attachReceipt } from '../receipt/attach-receipt.ts';
import { signStatement } from '../receipt/sign-statement.ts';
import { transferPredicateType, transferStatement } from '../receipt/transfer-statement.ts';
import { verifyImage } from '../verify/verify-image.ts';

const cosign = findTool('cosign');
const dockerRegistry = findProgram('docker-registry');
const image = buildImage([{ a: 'b' }]);
const spdx = 'https://spdx.dev/Document';

/** Runs cosign and returns what it prints. @throws when it fails */
async function run(folder: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand(cosign ?? '', args, { env: { HOME: folder, COSIGN_PASSWORD: 'x' } });
  assert.equal(code, 0, `cosign ${args.join(' ')}: ${stderr}`);
  return stdout;
}

async function keyPair(folder: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const publicPem = String(publicKey.export({ type: 'spki', format: 'pem' }));
  await writeFile(join(folder, 'signing.key'), pem);
  await writeFile(join(folder, 'signing.pub'), publicPem);
  await run(folder, 'import-key-pair', '--key', join(folder, 'signing.key'), '--output-key-prefix', join(folder, 'cosign'), '--yes');
  return { pem, publicPem };
}

const policyOf = (key: string, on: string) =>
  parsePolicy(
    JSON.stringify({ rules: [{ match: '*', signatures: { by: [{ key }], on }, attestations: [{ predicateType: spdx, by: [{ key }] }] }] }),
    () => Promise.resolve(undefined),
  );

test(
  'what cosign signs and attests is verified, in both of its formats',
  { skip: cosign === undefined && 'cosign is not installed' },
  async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'arc-cosign-'));
    const { publicPem } = await keyPair(folder.path);
    const other = String(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }));
    await writeFile(join(folder.path, 'sbom.json'), '{"spdxVersion":"SPDX-2.3"}');
    for (const bundles of ['true', 'false']) {
      await using registry = await startTestRegistry();
      seedRegistry(registry, 'team/app', image, ['v1']);
      const common = ['--key', join(folder.path, 'cosign.key'), '--tlog-upload=false', '--use-signing-config=false', `--new-bundle-format=${bundles}`, '--allow-http-registry', '--yes']; // prettier-ignore
      const reference = `${registry.host}/team/app@${image.digest}`;
      await run(folder.path, 'sign', '--recursive', ...common, reference);
      await run(folder.path, 'attest', '--predicate', join(folder.path, 'sbom.json'), '--type', 'spdxjson', ...common, reference);
      using endpoint = openEndpoint(parseEndpointURL(registry.url));
      const repository = await endpoint.source('team/app');
      const root = await repository.fetchManifest('v1');
      assert.ok(root !== undefined);
      for (const on of ['reference', 'platforms', 'all']) {
        const checks = await verifyImage(repository, root, await policyOf(publicPem, on), { origin: 'source' });
        assert.deepEqual(checks.map(({ result }) => result), ['passed', 'passed'], JSON.stringify([bundles, on, checks])); // prettier-ignore
      }
      const refused = await verifyImage(repository, root, await policyOf(other, 'reference'), { origin: 'source' });
      assert.deepEqual(refused.map(({ result }) => result), ['failed', 'failed']); // prettier-ignore
    }
  },
);

test(
  'cosign verifies a receipt beside an artifact, and in a file',
  { skip: cosign === undefined && 'cosign is not installed' },
  async (t) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'arc-cosign-'));
    const { pem } = await keyPair(folder.path);
    const key = parseSigningKey(pem, 'signing.key');
    await using registry = await startTestRegistry();
    seedRegistry(registry, 'team/app', image, ['v1']);
    const now = new Date(0).toISOString();
    const statement = transferStatement([{ name: 'team/app', digest: image.digest }], {
      source: { reference: 'source/app:v1', digest: image.digest },
      destination: { references: ['team/app:v1'], digest: image.digest },
      checks: [{ name: 'content', result: 'passed', detail: 'all there' }],
      startedAt: now,
      finishedAt: now,
      producer: { name: 'arc-worker', version: '0.1.0' },
    });
    const bundle = signStatement(statement, key);
    const verify = ['--key', join(folder.path, 'signing.pub'), '--insecure-ignore-tlog', '--type', transferPredicateType];
    await writeFile(join(folder.path, 'receipt.sigstore.json'), bundle);
    const blob = (digest: string) => run(folder.path, 'verify-blob-attestation', ...verify, '--bundle', join(folder.path, 'receipt.sigstore.json'), '--digest', digest, '--digestAlg', 'sha256'); // prettier-ignore
    await blob(image.digest.slice(7));
    await assert.rejects(blob('0'.repeat(64)), /does not match any digest/);

    const attach = async (url: string): Promise<void> => {
      using source = openEndpoint(parseEndpointURL(registry.url));
      using endpoint = openEndpoint(parseEndpointURL(url));
      const repository = await endpoint.destination('team/app');
      if (url !== registry.url) await copyArtifact(await source.source('team/app'), 'v1', repository, { tags: ['v1'], referrers: 'none' });
      const root = await repository.resolve('v1');
      assert.ok(root !== undefined);
      await attachReceipt(repository, root, bundle, { createdAt: now });
      const reference = `${new URL(url).host}/team/app@${image.digest}`;
      const printed = await run(folder.path, 'verify-attestation', ...verify, '--allow-http-registry', reference);
      const { payload } = JSON.parse(printed.trim().split('\n').at(-1) ?? '') as { payload: string };
      assert.deepEqual(Buffer.from(payload, 'base64'), statement);
    };
    await attach(registry.url);
    await t.test(
      'in a registry without the referrers API',
      { skip: dockerRegistry === undefined && 'docker-registry is not installed' },
      async () => {
        await using old = await startDockerRegistry(dockerRegistry ?? '', join(folder.path, 'registry'));
        await attach(old.url);
      },
    );
  },
);
