import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, createServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { FakeClock } from '@arc/kernel';
import { createAuthority, issueClientCertificate, issueServerCertificate } from './authority.ts';

/** A part of the machine, not of the project. */
const openssl = 'openssl';
const hasOpenssl = spawnSync(openssl, ['version']).status === 0;
const opensslTest = { skip: hasOpenssl ? false : 'openssl is not installed' };

test('an authority is a self-signed certificate authority', () => {
  const authority = createAuthority({ commonName: 'Test CA' });
  const certificate = new X509Certificate(authority.certPem);
  assert.equal(certificate.ca, true);
  assert.equal(certificate.subject, 'CN=Test CA');
  assert.equal(certificate.issuer, 'CN=Test CA');
  assert.ok(certificate.verify(certificate.publicKey));
  assert.ok(createPublicKey(authority.keyPem).equals(certificate.publicKey));
});

test('a server certificate carries DNS names and addresses and chains to its authority', () => {
  const authority = createAuthority({ commonName: 'Test CA' });
  const issued = issueServerCertificate(authority, {
    names: ['localhost', 'arc.example'],
    addresses: ['127.0.0.1', '::1', '2001:db8::ff00:42:8329'],
  });
  const certificate = new X509Certificate(issued.certPem);
  assert.equal(certificate.ca, false);
  assert.ok(certificate.checkIssued(new X509Certificate(authority.certPem)));
  assert.ok(certificate.verify(new X509Certificate(authority.certPem).publicKey));
  for (const name of ['localhost', 'arc.example']) assert.equal(certificate.checkHost(name, { subject: 'never' }), name);
  for (const address of ['127.0.0.1', '::1', '2001:db8::ff00:42:8329']) assert.equal(certificate.checkIP(address), address);
  assert.equal(certificate.checkIP('127.0.0.2'), undefined);
  assert.equal(certificate.checkHost('other.example'), undefined);
});

test('a client certificate carries the user as CN and every group as its own O', () => {
  const authority = createAuthority({ commonName: 'Test CA' });
  const issued = issueClientCertificate(authority, { user: 'alice, admin', groups: ['system:masters', 'team,with,commas', 'größe'] });
  const { subject } = new X509Certificate(issued.certPem).toLegacyObject();
  assert.deepEqual({ ...subject }, { O: ['system:masters', 'team,with,commas', 'größe'], CN: 'alice, admin' });
});

test('validity comes from the clock, is backdated a little and never outlives the authority', () => {
  const clock = new FakeClock(Date.parse('2045-06-01T12:00:00.250Z'));
  const authority = createAuthority({ commonName: 'Test CA', clock, validityDays: 3650 });
  const certificate = new X509Certificate(authority.certPem);
  assert.equal(certificate.validFromDate.toISOString(), '2045-06-01T11:55:00.000Z');
  // Beyond 2049, where the encoding of times changes.
  assert.equal(certificate.validToDate.toISOString(), '2055-05-30T12:00:00.000Z');
  const short = new X509Certificate(issueClientCertificate(authority, { user: 'u', groups: [], clock }).certPem);
  assert.equal(short.validToDate.toISOString(), '2046-06-01T12:00:00.000Z');
  const long = new X509Certificate(issueClientCertificate(authority, { user: 'u', groups: [], clock, validityDays: 9999 }).certPem);
  assert.equal(long.validToDate.toISOString(), '2055-05-30T12:00:00.000Z');
});

test('serial numbers are positive, at most 20 octets and differ', () => {
  const authority = createAuthority({ commonName: 'Test CA' });
  const serials = Array.from(
    { length: 20 },
    () => new X509Certificate(issueClientCertificate(authority, { user: 'u', groups: [] }).certPem).serialNumber,
  );
  assert.equal(new Set(serials).size, serials.length);
  for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/);
});

test('names that cannot stand in a certificate are refused', () => {
  const authority = createAuthority({ commonName: 'Test CA' });
  const refused = { code: 'InvalidSubjectName' };
  assert.throws(() => issueServerCertificate(authority, { names: ['a b'], addresses: [] }), refused);
  assert.throws(() => issueServerCertificate(authority, { names: ['größe.example'], addresses: [] }), refused);
  assert.throws(() => issueServerCertificate(authority, { names: [], addresses: [] }), refused);
  assert.throws(() => issueServerCertificate(authority, { names: [], addresses: ['localhost'] }), refused);
  assert.throws(() => issueServerCertificate(authority, { names: [], addresses: ['fe80::1%eth0'] }), refused);
  assert.throws(() => issueClientCertificate(authority, { user: '', groups: [] }), refused);
});

test('an authority that cannot sign is refused without quoting its key', () => {
  const authority = createAuthority({ commonName: 'Test CA' });
  const other = createAuthority({ commonName: 'Other CA' });
  const leaf = issueClientCertificate(authority, { user: 'u', groups: [] });
  const issueFrom = (broken: { certPem: string; keyPem: string }) => () => issueClientCertificate(broken, { user: 'u', groups: [] });
  assert.throws(issueFrom({ ...authority, keyPem: other.keyPem }), { code: 'InvalidCertificate' });
  assert.throws(issueFrom({ ...authority, keyPem: 'hunter2' }), (error: Error) => !error.message.includes('hunter2'));
  assert.throws(issueFrom({ ...authority, certPem: 'nothing' }), { code: 'InvalidCertificate' });
  assert.throws(issueFrom(leaf), { code: 'InvalidCertificate', message: /not an authority/ });
});

test('two Node peers complete a mutual handshake', async () => {
  const authority = createAuthority({ commonName: 'Test CA' });
  const server = issueServerCertificate(authority, { names: ['localhost'], addresses: ['127.0.0.1'] });
  const client = issueClientCertificate(authority, { user: 'alice', groups: ['system:masters'] });
  const accepted = Promise.withResolvers<TLSSocket>();
  const listener = createServer(
    { cert: server.certPem, key: server.keyPem, ca: authority.certPem, requestCert: true, rejectUnauthorized: true },
    (socket) => accepted.resolve(socket),
  );
  listener.on('tlsClientError', accepted.reject);
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  assert.ok(address !== null && typeof address === 'object');
  const socket = connect({ host: '127.0.0.1', port: address.port, ca: authority.certPem, cert: client.certPem, key: client.keyPem });
  socket.on('error', accepted.reject);
  const peer = await accepted.promise;
  assert.equal(peer.authorized, true);
  assert.equal(peer.getPeerCertificate().subject.CN, 'alice');
  socket.destroy();
  peer.destroy();
  await new Promise((resolve) => listener.close(resolve));
});

test('openssl verifies the chains strictly and reads every extension', opensslTest, () => {
  const directory = mkdtempSync(join(tmpdir(), 'arc-pki-'));
  try {
    const authority = createAuthority({ commonName: 'Test CA' });
    const server = issueServerCertificate(authority, { names: ['localhost'], addresses: ['127.0.0.1', '::1'] });
    const client = issueClientCertificate(authority, { user: 'alice', groups: ['a', 'b'] });
    const write = (name: string, content: string): string => {
      const path = join(directory, name);
      writeFileSync(path, content);
      return path;
    };
    const ca = write('ca.pem', authority.certPem);
    const verify = (path: string, purpose: string): string =>
      execFileSync(openssl, ['verify', '-x509_strict', '-CAfile', ca, '-purpose', purpose, path], { encoding: 'utf8' });
    assert.match(verify(write('server.pem', server.certPem), 'sslserver'), /: OK/);
    assert.match(verify(write('client.pem', client.certPem), 'sslclient'), /: OK/);
    const wrongPurpose = spawnSync(openssl, ['verify', '-CAfile', ca, '-purpose', 'sslserver', join(directory, 'client.pem')]);
    assert.notEqual(wrongPurpose.status, 0);

    const text = (path: string): string => execFileSync(openssl, ['x509', '-in', path, '-noout', '-text'], { encoding: 'utf8' });
    const caText = text(ca);
    assert.match(caText, /Version: 3 \(0x2\)/);
    assert.match(caText, /Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    assert.match(caText, /Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
    const serverText = text(join(directory, 'server.pem'));
    assert.match(serverText, /Basic Constraints: critical\s+CA:FALSE/);
    assert.match(serverText, /Key Usage: critical\s+Digital Signature\n/);
    assert.match(serverText, /TLS Web Server Authentication/);
    assert.match(serverText, /DNS:localhost, IP Address:127\.0\.0\.1, IP Address:0:0:0:0:0:0:0:1/);
    assert.equal(identifier(serverText, 'Authority'), identifier(caText, 'Subject'));
    assert.notEqual(identifier(serverText, 'Subject'), identifier(caText, 'Subject'));
    assert.match(text(join(directory, 'client.pem')), /Subject: O = a, O = b, CN = alice|Subject: O=a, O=b, CN=alice/);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

function identifier(text: string, which: 'Authority' | 'Subject'): string {
  const found = new RegExp(`X509v3 ${which} Key Identifier:\\s+(?:keyid:)?([0-9A-F:]{59})`).exec(text)?.[1];
  assert.ok(found !== undefined, `no ${which} key identifier`);
  return found;
}
