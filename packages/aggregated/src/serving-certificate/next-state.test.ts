import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { FakeClock } from '@arc/kernel';
import { nextServingState, type ServingState } from './next-state.ts';

const names = ['arc-apiserver.arc-system.svc'];
const day = 86_400_000;

/** The first that is trusted of those that have signed what is served. */
function signerOf({ certificate, authorities }: ServingState): number {
  const served = new X509Certificate(certificate);
  return authorities.findIndex(
    (authority) => served.checkIssued(new X509Certificate(authority)) && served.verify(new X509Certificate(authority).publicKey),
  );
}

test('over thirty years, whoever trusts what was last published accepts what is served, and nothing served has run out', () => {
  const clock = new FakeClock();
  let state = nextServingState(undefined, { names, trusted: [], clock });
  let trusted = state.authorities;
  const authorities = new Set<string>();
  const certificates = new Set<string>();
  for (let passed = 0; passed < 30 * 365; passed += 20) {
    clock.jump(20 * day);
    const next = nextServingState(state, { names, trusted, clock });
    const served = new X509Certificate(next.certificate);
    assert.ok(served.validToDate.getTime() > clock.now() && served.validFromDate.getTime() <= clock.now());
    assert.ok(
      trusted.some((authority) => served.verify(new X509Certificate(authority).publicKey)),
      `on day ${passed} nobody trusts what is served`,
    );
    assert.notEqual(signerOf(next), -1);
    state = next;
    trusted = next.authorities;
    for (const authority of next.authorities) authorities.add(authority);
    certificates.add(next.certificate);
  }
  assert.ok(authorities.size >= 4 && authorities.size <= 6, `${authorities.size} authorities`);
  assert.ok(certificates.size >= 30, `${certificates.size} certificates`);
  assert.ok(state.authorities.length <= 2);
});

test('while clients do not trust a new authority, the old certificate stays', () => {
  const clock = new FakeClock();
  const old = nextServingState(undefined, { names, trusted: [], clock });
  clock.jump(2_500 * day);
  const renewed = nextServingState(old, { names, trusted: old.authorities, clock });
  assert.equal(renewed.authorities.length, 2);
  const signed = nextServingState({ ...renewed, ...leafOf(old, clock) }, { names, trusted: old.authorities, clock });
  assert.equal(signerOf(signed), 1);
  const trusting = nextServingState(signed, { names, trusted: signed.authorities, clock });
  assert.equal(signerOf(trusting), 0);
  assert.equal(nextServingState(trusting, { names, trusted: trusting.authorities, clock }), trusting);
});

/** A fresh certificate of the old authority. */
function leafOf(old: ServingState, clock: FakeClock): Pick<ServingState, 'certificate' | 'key'> {
  const earlier = new FakeClock(clock.now() - 100 * day);
  const { certificate, key } = nextServingState({ ...old, certificate: '' }, { names, trusted: old.authorities, clock: earlier });
  return { certificate, key };
}

test('other names, a foreign key and an authority that nobody can read are mended', () => {
  const clock = new FakeClock();
  const state = nextServingState(undefined, { names, trusted: [], clock });
  const facts = { names, trusted: state.authorities, clock };
  assert.equal(nextServingState(state, facts), state);
  const renamed = nextServingState(state, { ...facts, names: ['other.arc-system.svc'] });
  assert.match(new X509Certificate(renamed.certificate).subjectAltName ?? '', /other\.arc-system\.svc/);
  const other = nextServingState(undefined, facts);
  assert.notEqual(nextServingState({ ...state, key: other.key }, facts).key, other.key);
  assert.equal(nextServingState({ ...state, authorityKey: other.authorityKey }, facts).authorities.length, 2);
  assert.equal(nextServingState({ ...state, authorities: ['nonsense'] }, facts).authorities.length, 1);
});
