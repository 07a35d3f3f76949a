import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { issueClientCertificate } from './authority.ts';
import { openCertificateFolder } from './certificate-folder.ts';

async function scratchFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'arc-pki-'));
  return { path: join(path, 'pki'), [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

const jane = { user: 'jane', groups: ['release'] };

test('what was issued once is kept, readable by its owner only', async () => {
  await using folder = await scratchFolder();
  const first = await openCertificateFolder(folder.path, { authority: 'test' });
  const [server, client] = [await first.server('arc.example.org'), await first.client('jane', jane)];
  const second = await openCertificateFolder(folder.path, { authority: 'another name' });
  assert.deepEqual(second.authority, first.authority);
  assert.deepEqual(await second.server('arc.example.org'), server);
  assert.deepEqual(await second.client('jane', jane), client);
  assert.equal((await stat(join(folder.path, 'jane.key'))).mode & 0o777, 0o600);
  assert.match(new X509Certificate(server.certPem).subjectAltName ?? '', /arc\.example\.org.*127\.0\.0\.1/);
});

test('a server certificate is issued again for a host it does not cover, a client certificate when it is about to expire', async () => {
  await using folder = await scratchFolder();
  const certificates = await openCertificateFolder(folder.path, { authority: 'test' });
  const server = await certificates.server('127.0.0.1');
  assert.notDeepEqual(await certificates.server('10.1.2.3'), server);
  const clock = { now: () => Date.now() - 300 * 86_400_000 } as Parameters<typeof issueClientCertificate>[1]['clock'] & object;
  const old = issueClientCertificate(certificates.authority, { ...jane, clock });
  await writeFile(join(folder.path, 'jane.crt'), old.certPem);
  await writeFile(join(folder.path, 'jane.key'), old.keyPem);
  assert.notDeepEqual(await certificates.client('jane', jane), old);
});

test('half an authority is refused, not replaced', async () => {
  await using folder = await scratchFolder();
  await openCertificateFolder(folder.path, { authority: 'test' });
  await unlink(join(folder.path, 'ca.key'));
  await assert.rejects(openCertificateFolder(folder.path, { authority: 'test' }), {
    code: 'BadDataDirectory',
    message: /ca\.key is missing/,
  });
});
