import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  type BuiltChart,
  buildChart,
  buildImage,
  buildLegacySignature,
  type CommandResult,
  digestOf,
  findProgram,
  helmRepository,
  legacySignature,
  legacyTag,
  runCommand,
  seedRegistry,
  simpleSigningPayload,
  startFileServer,
  startGnupg,
  startTestRegistry,
} from '@arc/testkit';

const program = fileURLToPath(new URL('../../bin/arc-worker.mjs', import.meta.url));
const gpg = findProgram('gpg');
const release = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const receiptKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = String(release.publicKey.export({ type: 'spki', format: 'pem' }));

interface Receipt {
  readonly checks: readonly { readonly name: string; readonly result: string }[];
  readonly attestation?: { readonly reference: string; readonly bundle: { readonly dsseEnvelope: { readonly payload: string } } };
}

/** The worker between two places, with Secrets for trust and signing. */
async function setUp(environment: Record<string, string>) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'arc-trust-'));
  const at = (name: string): string => join(folder.path, name);
  await Promise.all([mkdir(at('trust')), mkdir(at('signing'))]);
  await writeFile(at('signing/signing.key'), receiptKey.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const run = (command: string, env: Record<string, string> = {}): Promise<CommandResult> =>
    runCommand(process.execPath, [program, command], {
      env: {
        ARC_SRC_SECRET_DIR: at('none'),
        ARC_DST_SECRET_DIR: at('none'),
        ARC_TRUST_DIR: at('trust'),
        ARC_SIGNING_DIR: at('signing'),
        ARC_RECEIPT_FILE: at('receipt.json'),
        ARC_WORKFLOW: 'default/run',
        ...environment,
        ...env,
      },
    });
  const receipt = async (): Promise<Receipt> => JSON.parse(await readFile(at('receipt.json'), 'utf8')) as Receipt;
  return {
    trust: (name: string, content: string | Buffer) => writeFile(at(join('trust', name)), content),
    run,
    verify: async (command: string, env: Record<string, string> = {}) =>
      run(command, { ARC_RECEIPT_JSON: await readFile(at('receipt.json'), 'utf8'), ...env }),
    receipt,
    checks: async () => (await receipt()).checks.map(({ name, result }) => `${result} ${name}`),
    [Symbol.asyncDispose]: () => folder.remove(),
  };
}

function statementOf(receipt: Receipt): { subject: { name: string; digest: object }[]; predicate: Record<string, unknown> } {
  const payload = receipt.attestation?.bundle.dsseEnvelope.payload ?? '';
  return JSON.parse(Buffer.from(payload, 'base64').toString()) as ReturnType<typeof statementOf>;
}

const policy = (rule: object): string => JSON.stringify({ rules: [{ match: '*', ...rule }] });

test('an image is verified before anything is pushed, by a policy and keys of the Secret; a run again adds no receipt', async () => {
  await using source = await startTestRegistry();
  await using destination = await startTestRegistry();
  const image = buildImage([{ a: 'b' }]);
  seedRegistry(source, 'app', image, ['v1']);
  await using setting = await setUp({ ARC_SRC_URL: source.url, ARC_DST_URL: destination.url, ARC_SPEC_JSON: '{"image":"app:v1"}' });
  await setting.trust('policy.yaml', policy({ signatures: { by: [{ keyFile: 'release.pub' }] } }));
  const broken = await setting.run('oci-copy');
  assert.match(
    broken.stderr,
    /^error: the verification policy: rules\[0\]\.signatures\.by\[0\]\.keyFile names "release\.pub", which the Secret/,
  );
  await setting.trust('release.pub', pem);
  const unsigned = await setting.run('oci-copy');
  assert.equal(unsigned.code, 1);
  assert.match(unsigned.stdout, /^failed +signature: sha256/m);
  assert.match(unsigned.stderr, /^error: source: verify .*\/app@sha256:\w+: signature failed: .* Nothing was delivered\./);
  assert.deepEqual(destination.content.repositories(), []);

  const signature = buildLegacySignature([legacySignature(simpleSigningPayload(image.digest), release.privateKey)]);
  seedRegistry(source, 'app', signature, [legacyTag(image.digest, 'sig')]);
  const copied = await setting.run('oci-copy');
  assert.deepEqual([copied.code, copied.stderr], [0, '']);
  const without = await setting.verify('oci-verify', { ARC_TRUST_DIR: '/nowhere' });
  assert.match(without.stderr, /the copy was made with another policy/);
  const verified = await setting.verify('oci-verify');
  assert.deepEqual([verified.code, verified.stderr], [0, '']);
  assert.deepEqual(await setting.checks(), ['passed signature', 'passed content', 'passed signature at the destination']);
  const { subject, predicate } = statementOf(await setting.receipt());
  assert.deepEqual(subject, [{ name: `${destination.host}/app`, digest: { sha256: image.digest.slice(7) } }]);
  assert.equal(predicate['workflow'], 'default/run');

  const receipts = destination.content.referrers('app', image.digest).length;
  assert.equal(receipts, 1);
  await setting.run('oci-copy');
  const again = await setting.verify('oci-verify');
  assert.match(again.stdout, /^receipt +referrer sha256:\w+ of .* says the same already$/m);
  assert.equal(destination.content.referrers('app', image.digest).length, receipts);
  assert.deepEqual(statementOf(await setting.receipt()).subject, subject);
});

test('evidence that does not arrive fails the verification; of some platforms it is skipped', async () => {
  await using source = await startTestRegistry();
  await using destination = await startTestRegistry();
  const image = buildImage([{ a: 'b' }], { platforms: ['linux/amd64', 'linux/arm64', 'linux/arm/v7'] });
  seedRegistry(source, 'app', image, ['v1']);
  const signature = buildLegacySignature([legacySignature(simpleSigningPayload(image.digest), release.privateKey)]);
  seedRegistry(source, 'app', signature, [legacyTag(image.digest, 'sig')]);
  await using setting = await setUp({
    ARC_SRC_URL: source.url,
    ARC_DST_URL: destination.url,
    ARC_SPEC_JSON: '{"image":"app:v1"}',
    ARC_POLICY: policy({ signatures: { by: [{ key: pem }] } }),
  });
  {
    using fault = destination.faults.add({ match: { method: 'PUT', path: /\.sig$/ }, times: 100, action: { kind: 'status', status: 403 } });
    const failed = await setting.run('oci-copy');
    assert.equal(failed.code, 1, 'a copy without the evidence is none');
    assert.match(failed.stderr, /^error: destination: tag .*\.sig/);
    assert.equal(destination.content.tags('app').size, 0);
    void fault;
  }
  await setting.run('oci-copy', { ARC_REFERRERS: 'none' });
  const lost = await setting.verify('oci-verify');
  assert.equal(lost.code, 1);
  assert.match(lost.stderr, /^error: destination: verify .*: signature failed: .* has no signature at all.* run the order again/);
  const told = await setting.verify('oci-verify', { ARC_REFERRERS: 'none' });
  assert.equal(told.code, 0, told.stderr);
  assert.deepEqual(await setting.checks(), ['passed signature', 'passed content', 'skipped signature at the destination']);
  const some = { ARC_SPEC_JSON: '{"image":"app:v1","override":":some","platforms":["linux/amd64","linux/arm64"]}' };
  assert.equal((await setting.run('oci-copy', some)).code, 0);
  assert.equal((await setting.verify('oci-verify', some)).code, 0);
  assert.deepEqual(await setting.checks(), ['passed signature', 'passed content', 'skipped signature at the destination']);
  assert.deepEqual(statementOf(await setting.receipt()).predicate['rewritten'], { platforms: ['linux/amd64', 'linux/arm64'] });
});

test(
  'a chart is verified by its provenance file, from a repository and from a registry; its receipt lies beside it',
  { skip: gpg === undefined && 'gpg is not installed' },
  async () => {
    await using gnupg = await startGnupg(gpg ?? '');
    await gnupg.make('release', 'ed25519', 'sign', 0);
    await gnupg.make('stranger', 'ed25519', 'sign', 0);
    const chart = await signed(buildChart('podinfo', '1.2.0'));
    const other = await signed(buildChart('other', '1.2.0'));
    async function signed(built: BuiltChart): Promise<BuiltChart> {
      const [, text = ''] = /\n\n([\s\S]*)\n-----BEGIN PGP SIGNATURE/.exec(built.provenance.toString()) ?? [];
      return { ...built, provenance: await gnupg.sign(text, 'release') };
    }
    await using server = await startFileServer({ files: helmRepository([chart, other]) });
    await using registry = await startTestRegistry();
    await using directory = await mkdtempDisposable(join(tmpdir(), 'arc-charts-'));
    await using setting = await setUp({
      ARC_SRC_TYPE: 'helm',
      ARC_SRC_URL: server.url,
      ARC_DST_URL: registry.url,
      ARC_SPEC_JSON: '{"chart":"podinfo","version":"1.2.0"}',
      ARC_POLICY: policy({ provenance: { keyringFile: 'keys.gpg' } }),
    });
    await setting.trust('keys.gpg', await gnupg.keyring('stranger'));
    const refused = await setting.run('helm-copy');
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /^error: source: verify .*: provenance signature failed: it was signed by key [0-9A-F]+, which is not in the keyring/,
    );
    assert.deepEqual(registry.content.repositories(), []);

    await setting.trust('keys.gpg', await gnupg.keyring('release'));
    for (const env of [{}, { ARC_SRC_TYPE: 'oci', ARC_SRC_URL: registry.url, ARC_DST_URL: `${registry.url}/zone` }]) {
      const copied = await setting.run('helm-copy', env);
      assert.deepEqual([copied.code, copied.stderr], [0, '']);
      const verified = await setting.verify('helm-verify', env);
      assert.deepEqual([verified.code, verified.stderr], [0, '']);
      const checks = await setting.checks();
      assert.ok(
        checks.includes('passed provenance signature') && checks.includes('passed provenance signature at the destination'),
        checks.join(),
      );
    }
    const manifest = registry.content.manifest('podinfo', '1.2.0');
    // An older chart under the tag of a newer one was signed, too.
    registry.content.putManifest('podinfo', manifest?.bytes ?? Buffer.alloc(0), manifest?.mediaType ?? '', ['1.3.0']);
    const replayed = await setting.run('helm-copy', {
      ARC_SRC_TYPE: 'oci',
      ARC_SRC_URL: registry.url,
      ARC_DST_URL: `${registry.url}/zone`,
      ARC_SPEC_JSON: '{"chart":"podinfo","version":"1.3.0"}',
    });
    assert.equal(replayed.code, 1);
    assert.match(replayed.stderr, /provenance signature failed: it is chart podinfo 1\.2\.0, not podinfo 1\.3\.0/);
    assert.equal(registry.content.referrers('podinfo', manifest?.digest ?? '').length, 1);

    const place = { ARC_DST_TYPE: 'file', ARC_DST_URL: directory.path };
    assert.equal((await setting.run('helm-copy', place)).code, 0);
    const verified = await setting.verify('helm-verify', place);
    assert.deepEqual([verified.code, verified.stderr], [0, '']);
    const file = join(directory.path, 'podinfo-1.2.0.tgz.arc-receipt.sigstore.json');
    const bundle = await readFile(file);
    const { subject } = statementOf(await setting.receipt());
    assert.deepEqual(subject[0], { name: 'podinfo-1.2.0.tgz', digest: { sha256: digestOf(chart.archive).slice(7) } });
    assert.equal((await setting.run('helm-copy', place)).code, 0);
    assert.match((await setting.verify('helm-verify', place)).stdout, /says the same already/);
    assert.deepEqual(await readFile(file), bundle);
  },
);
