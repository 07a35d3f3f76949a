import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { createAuthority, issueClientCertificate } from '@arc/pki';
import { certificateVerifier } from './client-certificate.ts';

test('a certificate is believed while it is valid by the clock of now, wherever that was before', () => {
  const authority = createAuthority({ commonName: 'own' });
  const { certPem } = issueClientCertificate(authority, { user: 'ada', groups: [], validityDays: 1 });
  const certificate = new X509Certificate(certPem);
  const verifier = certificateVerifier(authority.certPem);
  const peer = { chain: [certificate] };
  const from = certificate.validFromDate.getTime();
  const to = certificate.validToDate.getTime();
  for (const now of [from, from - 1, to, to + 1, from]) {
    assert.equal(verifier.verify(peer, now).kind, now >= from && now <= to ? 'valid' : 'invalid');
  }
});
