import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  buildImage,
  createSigstore,
  keylessIssuer,
  keylessSubject,
  type KeylessOptions,
  digestOf,
  findProgram,
  findTool,
  runCommand,
  seedRegistry,
  startDockerRegistry,
  startTestRegistry,
} from '@arc/testkit';
import { copyArtifact, openEndpoint, parseEndpointURL } from '@arc/transfer';
import { parseSigningKey } from '../keys/signing-key.ts';
import { parsePolicy } from '../policy/parse-policy.ts';
import { attachReceipt } from '../receipt/attach-receipt.ts';
import { signStatement } from '../receipt/sign-statement.ts';
import { transferPredicateType, transferStatement } from '../receipt/transfer-statement.ts';
import { readBundle } from '../sigstore/read-bundle.ts';
import { openTrustedRoot } from '../sigstore/trusted-root.ts';
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
    const facts = {
      source: { reference: 'source/app:v1', digest: image.digest },
      destination: { references: ['team/app:v1'], digest: image.digest },
      checks: [{ name: 'content', result: 'passed', detail: 'all there' }],
      startedAt: now,
      finishedAt: now,
      producer: { name: 'arc-worker', version: '0.1.0' },
    } as const;
    const statement = transferStatement([{ name: 'team/app', digest: image.digest }], facts);
    const bundle = signStatement(statement, key);
    const verify = ['--key', join(folder.path, 'signing.pub'), '--insecure-ignore-tlog', '--type', transferPredicateType];
    await writeFile(join(folder.path, 'receipt.sigstore.json'), bundle);
    const blob = (digest: string) => run(folder.path, 'verify-blob-attestation', ...verify, '--bundle', join(folder.path, 'receipt.sigstore.json'), '--digest', digest, '--digestAlg', 'sha256'); // prettier-ignore
    await blob(image.digest.slice(7));
    await assert.rejects(blob('0'.repeat(64)), /does not match any digest/);

    const file = join(folder.path, 'file');
    await writeFile(file, 'delivered');
    const ofFile = transferStatement([{ name: 'file', digest: digestOf(Buffer.from('delivered')) }], facts);
    await writeFile(`${file}.arc-receipt.sigstore.json`, signStatement(ofFile, key));
    await run(folder.path, 'verify-blob-attestation', ...verify, '--bundle', `${file}.arc-receipt.sigstore.json`, file);

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

test('cosign says the same of keyless signatures, good and bad', { skip: cosign === undefined && 'cosign is not installed' }, async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'arc-cosign-'));
  const sigstore = createSigstore();
  const root = await openTrustedRoot(sigstore.trustedRoot, 'the test');
  const [start, minute] = [Date.UTC(2026, 0, 1), 60_000];
  const digest = image.digest.slice(7);
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'app', digest: { sha256: digest } }],
    predicateType: spdx,
    predicate: {},
  };
  const sign = (options: KeylessOptions, by = sigstore) => by.signStatement(Buffer.from(JSON.stringify(statement)), options);
  const at = (name: string): string => join(folder.path, name);
  await writeFile(at('root.json'), JSON.stringify(sigstore.trustedRoot));
  const accepted = async (bundle: object): Promise<boolean> => {
    await writeFile(at('bundle.json'), JSON.stringify(bundle));
    const args = ['verify-blob-attestation', '--bundle', at('bundle.json'), '--trusted-root', at('root.json'), '--certificate-identity', keylessSubject, '--certificate-oidc-issuer', keylessIssuer, '--type', spdx, '--digest', digest, '--digestAlg', 'sha256']; // prettier-ignore
    return (await runCommand(cosign ?? '', args, { env: { HOME: folder.path } })).code === 0;
  };
  for (const [what, bundle, expected] of [
    ['a promise of the log', sign({}), true],
    ['a timestamp as well', sign({ timestamp: true }), true],
    ['something else in the log', sign({ logged: Buffer.from('other') }), false],
    ['after the certificate had expired', sign({ at: start + 11 * minute }), false],
    ['before it was valid', sign({ at: start - minute }), false],
    ['no signed certificate timestamp', sign({ withoutCertificateTimestamp: true }), false],
    ['a certificate for servers', sign({ usage: '1.3.6.1.5.5.7.3.1' }), false],
    ['another authority', sign({}, createSigstore()), false],
    ['a time that no log signed', sign({ log: 'proof' }), false],
    ['somebody else', sign({ subject: 'https://evil.example.org' }), false],
  ] as const) {
    let verified: boolean;
    try {
      const identity = root.verify(readBundle(JSON.parse(JSON.stringify(bundle)) as Record<string, unknown>, Buffer.alloc(0)));
      verified = identity.subject === keylessSubject && identity.issuer === keylessIssuer;
    } catch {
      verified = false;
    }
    assert.deepEqual([verified, await accepted(bundle)], [expected, expected], what);
  }
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(at('logged.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  for (const [bundle, expected] of [
    [sign({ key: privateKey }), true],
    [sign({ key: privateKey, logged: Buffer.from('other') }), false],
    [sign({ key: privateKey, log: 'none' }), false],
  ] as const) {
    await writeFile(at('bundle.json'), JSON.stringify(bundle));
    const args = ['verify-blob-attestation', '--bundle', at('bundle.json'), '--trusted-root', at('root.json'), '--key', at('logged.pub'), '--type', spdx, '--digest', digest, '--digestAlg', 'sha256']; // prettier-ignore
    const { code } = await runCommand(cosign ?? '', args, { env: { HOME: folder.path } });
    const read = () =>
      root.verifyLogged(readBundle(JSON.parse(JSON.stringify(bundle)) as Record<string, unknown>, Buffer.alloc(0)), publicKey);
    assert.equal(code === 0, expected);
    if (expected) read();
    else assert.throws(read);
  }
});
