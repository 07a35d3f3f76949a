import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '@arc/kernel';
import { createAuthority, issueServerCertificate } from './authority.ts';
import { needsRenewal } from './renewal.ts';

const day = 86_400_000;

test('a certificate is renewed when a third of its life is left, or before it is valid', async () => {
  const clock = new FakeClock();
  const authority = createAuthority({ commonName: 'Test CA', clock });
  const { certPem } = issueServerCertificate(authority, { names: ['localhost'], addresses: [], clock, validityDays: 90 });
  assert.equal(needsRenewal(certPem, { clock }), false);
  assert.equal(needsRenewal(certPem, { clock: new FakeClock(clock.now() - day) }), true);
  await clock.advance(59 * day);
  assert.equal(needsRenewal(certPem, { clock }), false);
  await clock.advance(2 * day);
  assert.equal(needsRenewal(certPem, { clock }), true);
});

test('a certificate is renewed when it does not cover what it is wanted for', () => {
  const authority = createAuthority({ commonName: 'Test CA' });
  const { certPem } = issueServerCertificate(authority, { names: ['localhost'], addresses: ['::1', '10.0.0.1'] });
  assert.equal(needsRenewal(certPem, { names: ['localhost'], addresses: ['10.0.0.1', '0:0:0:0:0:0:0:1'] }), false);
  assert.equal(needsRenewal(certPem, { names: ['arc.example'] }), true);
  assert.equal(needsRenewal(certPem, { addresses: ['10.0.0.2'] }), true);
});

test('a certificate of another authority, even of the same name, is renewed', () => {
  const authority = createAuthority({ commonName: 'Test CA' });
  const twin = createAuthority({ commonName: 'Test CA' });
  const { certPem } = issueServerCertificate(authority, { names: ['localhost'], addresses: [] });
  assert.equal(needsRenewal(certPem, { issuerPem: authority.certPem }), false);
  assert.equal(needsRenewal(certPem, { issuerPem: twin.certPem }), true);
});

test('what cannot be read is renewed', () => {
  assert.equal(needsRenewal(''), true);
  assert.equal(needsRenewal('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'), true);
});
