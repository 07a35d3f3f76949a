import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAuthority, issueServerCertificate } from '@arc/pki';
import {
  buildImage,
  buildReferrer,
  findProgram,
  runCommand,
  seedRegistry,
  startDockerRegistry,
  startTestRegistry,
  startTokenService,
} from '@arc/testkit';
import { anonymous, type CredentialSource, fixedCredential } from '../auth/credential.ts';
import { parseDockerConfig } from '../credentials/docker-config.ts';
import { openEndpoint } from '../oci/open-repository.ts';
import { parseEndpointURL } from '../reference/endpoint-url.ts';
import { copyArtifact } from './copy-artifact.ts';

const dockerRegistry = findProgram('docker-registry');
const skopeo = findProgram('skopeo');
const skip = dockerRegistry === undefined ? 'docker-registry is not installed' : skopeo === undefined ? 'skopeo is not installed' : false;
const image = buildImage([{ 'etc/motd': 'hello' }], { random: { layers: 2, bytes: 300_000 } });
const signature = buildReferrer(image, 'application/vnd.example.signature', 'signed');
const authority = createAuthority({ commonName: 'test authority' });
const user = 'ada';
const password = 'correct horse';
/** bcrypt of that password. */
const htpasswd = 'ada:$2b$04$eUnFJlydLuSK5XMZYWSsAe5BNp1MC124sQp5CnGN0J/cCyoQ1VJA6\n';

test('docker-registry with TLS: htpasswd on one side, a token service on the other', { skip }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'arc-real-auth-'));
  try {
    const { certPem: cert, keyPem: key } = issueServerCertificate(authority, { names: ['localhost'], addresses: ['127.0.0.1'] });
    await using tokens = await startTokenService({ cert, key }, { service: 'test', issuer: 'test issuer', user, password });
    await using source = await startDockerRegistry(dockerRegistry ?? '', join(folder, 'source'), { tls: { cert, key }, htpasswd });
    await using destination = await startDockerRegistry(dockerRegistry ?? '', join(folder, 'destination'), {
      tls: { cert, key },
      token: { realm: tokens.realm, service: 'test', issuer: 'test issuer', certificate: `${cert}\n${authority.certPem}` },
    });
    await using nursery = await startTestRegistry();
    seedRegistry(nursery, 'demo/app', image, ['v1']);
    seedRegistry(nursery, 'demo/app', signature);
    const copy = async (from: string, to: string, credentials: CredentialSource, chunkBytes = 0): ReturnType<typeof copyArtifact> => {
      const settings = { credentials, tls: { ca: authority.certPem }, chunkBytes };
      using here = openEndpoint(parseEndpointURL(from), settings);
      using there = openEndpoint(parseEndpointURL(to), settings);
      return await copyArtifact(await here.source('demo/app'), 'v1', await there.destination('demo/app'), { tags: ['v1'] });
    };
    const known = fixedCredential({ kind: 'basic', username: user, password });
    await copy(nursery.url, source.url, known, 100_000);
    const config = {
      auths: {
        [source.host]: { username: user, password },
        [destination.host]: { auth: Buffer.from(`${user}:${password}`).toString('base64') },
      },
    };
    const result = await copy(source.url, destination.url, parseDockerConfig(JSON.stringify(config), 'config.json'));
    assert.deepEqual([result.referrers, result.warnings], [1, []]);
    assert.ok(tokens.asked.length <= 2, `one token for pull and push, not ${tokens.asked.length}`);
    const wrong = fixedCredential({ kind: 'basic', username: user, password: 'battery staple' });
    for (const credentials of [anonymous, wrong]) {
      await assert.rejects(copy(source.url, destination.url, credentials), { code: 'Unauthorized', origin: 'source' });
      await assert.rejects(copy(nursery.url, destination.url, credentials), { code: 'Unauthorized', origin: 'destination' });
    }
    const certificates = join(folder, 'certificates');
    await mkdir(certificates);
    await writeFile(join(certificates, 'ca.crt'), authority.certPem);
    for (const { host } of [source, destination]) {
      const args = ['inspect', '--raw', `--cert-dir=${certificates}`, `--creds=${user}:${password}`, `docker://${host}/demo/app:v1`];
      const judged = await runCommand(skopeo ?? '', args);
      assert.equal(judged.stdout, image.bytes.toString('utf8'), judged.stderr);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
