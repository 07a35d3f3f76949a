import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempDisposable, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { artifactWorkflows, endpoints, orders } from '@arc/api/arc';
import type { ArtifactWorkflow } from '@arc/api/arc';
import { secrets } from '@arc/api/core';
import { buildBundleReferrer, buildImage, findTool, keyBundle, seedRegistry, signedStatement, startTestRegistry } from '@arc/testkit';
import { endpoint, finishedOrder, installType, ociOrder, startWorld } from './support/world.ts';

const tools = { skopeo: findTool('skopeo'), cosign: findTool('cosign') };
const lacking = Object.entries(tools).flatMap(([name, path]) => (path === undefined ? [name] : []));
const password = 'correct horse battery';
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** Stands in for trivy, whose database is not here: it finds something in what is called so, and says it as trivy does. */
const standInForTrivy = `#!/bin/sh
for reference; do :; done
case "$reference" in
  *vulnerable@sha256:*) printf '%s (debian 12)\\n\\nTotal: 2 (HIGH: 1, CRITICAL: 1)\\n\\n+---+\\n' "$reference"; exit 1 ;;
  *@sha256:*) echo "$reference (debian 12)" ;;
  *) echo "FATAL no digest"; exit 2 ;;
esac
`;

test(
  'skopeo, cosign and a stand-in for trivy bring an image by its digest; one that is unsigned, vulnerable or in the way of another is refused',
  { skip: lacking.length > 0 && `not installed: ${lacking.join(', ')}` },
  async () => {
    await using programs = await mkdtempDisposable('/var/tmp/arc-e2e-tools-');
    for (const [name, path] of Object.entries(tools)) await symlink(path ?? '', join(programs.path, name));
    await writeFile(join(programs.path, 'trivy'), standInForTrivy, { mode: 0o755 });
    await using source = await startTestRegistry({ auth: { kind: 'basic', users: { reader: password } } });
    await using destination = await startTestRegistry({ auth: { kind: 'token', users: { writer: password } } });
    await using world = await startWorld({ env: { PATH: `${programs.path}${delimiter}${process.env['PATH'] ?? ''}` } });
    const { client } = world;
    const image = buildImage((platform) => [{ 'etc/platform': platform }]);
    const statement = signedStatement(
      image.digest,
      { predicateType: 'https://sigstore.dev/cosign/sign/v1', predicate: {} },
      key.privateKey,
    );
    for (const repository of ['demo/app', 'demo/vulnerable']) {
      seedRegistry(source, repository, image, ['v1']);
      seedRegistry(source, repository, buildBundleReferrer(image, keyBundle({ dsseEnvelope: statement })));
    }
    seedRegistry(source, 'demo/unsigned', image, ['v1']);
    seedRegistry(destination, 'zone/taken', buildImage([{ another: 'image' }]), ['v1']);
    await installType(client, 'oci-known-tools');
    const secret = (name: string, stringData: Record<string, string>) =>
      client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'default' }, stringData });
    await secret('arc-trust', { 'cosign.pub': String(key.publicKey.export({ type: 'spki', format: 'pem' })) });
    await secret('reader', { username: 'reader', password });
    const auth = Buffer.from(`writer:${password}`).toString('base64');
    await secret('writer', { '.dockerconfigjson': JSON.stringify({ auths: { [destination.host]: { auth } } }) });
    await client.create(endpoints, endpoint('src', `${source.url}/demo`, { secretRef: { name: 'reader' } }));
    await client.create(endpoints, endpoint('dst', destination.url, { secretRef: { name: 'writer' } }));
    const submit = async (name: string, spec: Record<string, unknown>) => {
      const order = ociOrder(name, []);
      await client.create(orders, { ...order, spec: { ...order.spec, artifacts: [{ type: 'oci-known-tools', spec }] } });
    };
    await submit('good', { image: 'app:v1', override: 'zone/app:v2' });
    await submit('unsigned', { image: 'unsigned:v1' });
    await submit('vulnerable', { image: 'vulnerable:v1' });
    await submit('taken', { image: 'app:v1', override: 'zone/taken:v1' });
    await submit('hostile', { image: 'app:v1; touch /tmp/x' });

    const good = await finishedOrder(client, 'good');
    assert.equal(good.status?.phase, 'Succeeded', JSON.stringify(good.status, null, 2));
    assert.equal(destination.content.tags('zone/app').get('v2'), image.digest);
    const { items } = await client.list<ArtifactWorkflow>(artifactWorkflows, { namespace: 'default' });
    const receipt = JSON.parse(items.find(({ status }) => status?.receipt !== undefined)?.status?.receipt ?? '{}') as Record<
      string,
      unknown
    >;
    assert.deepEqual(receipt, {
      schemaVersion: 1,
      kind: 'oci-known-tools',
      source: { reference: `${source.host}/demo/app@${image.digest}`, digest: image.digest },
      destination: { references: [`${destination.host}/zone/app:v2`], digest: image.digest },
      checks: [
        { name: 'signature', result: 'passed', detail: 'cosign verify at the source' },
        { name: 'scan', result: 'passed', detail: 'trivy image at the source found nothing of the severities it was told' },
        { name: 'content', result: 'passed', detail: 'the digest at the destination is that of the source' },
      ],
    });
    const reasons = {
      unsigned: /source: verify \S+\/demo\/unsigned@sha256:\w+: cosign does not accept it; nothing was delivered/,
      vulnerable: /scan: trivy ended with exit code 1: Total: 2 \(HIGH: 1, CRITICAL: 1\)\. Nothing was delivered/,
      taken: /destination: \S+\/zone\/taken:v1 is sha256:\w+ already, not sha256:/,
      hostile: /source: spec\.image is not the name of an image/,
    };
    for (const [name, reason] of Object.entries(reasons)) {
      const { status } = await finishedOrder(client, name);
      assert.equal(status?.phase, 'Failed', name);
      assert.match(JSON.stringify(status), reason);
    }
    assert.deepEqual([destination.content.has('unsigned'), destination.content.has('vulnerable')], [false, false]);
  },
);
