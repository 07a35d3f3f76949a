import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import * as pki from '@arc/pki';
import { peerCertificateReader } from './client-certificate.ts';

interface Presented {
  readonly raw: Buffer;
  readonly fingerprint256: string;
  readonly issuerCertificate?: Presented;
}

/** A connection whose peer has presented these certificates. */
function connection(...pems: readonly string[]): TLSSocket {
  const chain = pems.map((pem) => new X509Certificate(pem));
  const presented = chain.reduceRight<Presented | undefined>(
    (issuer, { raw, fingerprint256 }) => ({ raw, fingerprint256, ...(issuer !== undefined && { issuerCertificate: issuer }) }),
    undefined,
  );
  return { getPeerX509Certificate: () => chain[0], getPeerCertificate: () => presented ?? {} } as unknown as TLSSocket;
}

test('connections with the same certificates share what is read of them, others do not', () => {
  const authority = pki.createAuthority({ commonName: 'clients' });
  const [jane = '', joe = ''] = ['jane', 'joe'].map((user) => pki.issueClientCertificate(authority, { user, groups: [] }).certPem);
  const read = peerCertificateReader();
  const first = read(connection(jane));
  assert.equal(read(connection(jane)), first);
  assert.deepEqual(
    first.chain.map(({ subject }) => subject),
    ['CN=jane'],
  );
  assert.notEqual(read(connection(joe)), first);
  const longer = read(connection(jane, authority.certPem));
  assert.notEqual(longer, first, 'what else is presented may decide whether the first one is trusted');
  assert.equal(longer.chain.length, 2);
  assert.equal(read(connection()).chain.length, 0);
});
