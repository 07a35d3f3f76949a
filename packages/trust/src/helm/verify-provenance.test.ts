import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { openpgp } from '../../test/openpgp-fixtures.ts';
import { EvidenceError } from '../evidence/untrusted.ts';
import { readKeyring } from '../openpgp/keyring.ts';
import { type ChartToVerify, verifyProvenance } from './verify-provenance.ts';

const now = Date.UTC(2027, 0, 1);
const chart: Omit<ChartToVerify, 'provenance'> = { name: 'podinfo', version: '1.2.0', digest: openpgp.digest };
const keys = { rsa: readKeyring(Buffer.from(openpgp.rsa.keyring)), ed25519: readKeyring(Buffer.from(openpgp.ed25519.keyring)), subkey: readKeyring(Buffer.from(openpgp.subkey.keyring)) }; // prettier-ignore

function verdict(provenance: string | Buffer, by: keyof typeof keys = 'rsa', about: Partial<typeof chart> = {}, at = now): string {
  const { result, detail } = verifyProvenance({ ...chart, ...about, provenance: Buffer.from(provenance) }, keys[by], at);
  return `${result}: ${detail}`;
}

test('what a key of the keyring signed is verified, by RSA, Ed25519 and subkeys', () => {
  for (const by of ['rsa', 'ed25519', 'subkey'] as const) {
    assert.match(verdict(openpgp[by].provenance, by), new RegExp(`^passed: ${openpgp.digest} by ${openpgp[by].fingerprint} .* Signer`));
    assert.match(verdict(openpgp[by].provenance.replaceAll('\n', '\r\n'), by), /^passed/);
  }
});

test('several armored keyrings one after the other are one', () => {
  const all = readKeyring(Buffer.from(`my keys\n${openpgp.rsa.keyring}\n${openpgp.ed25519.keyring}`));
  assert.deepEqual(
    all.map(({ owner }) => owner),
    [openpgp.rsa.fingerprint, openpgp.ed25519.fingerprint],
  );
});

test('somebody else signed, or it is about another chart', () => {
  assert.match(verdict(openpgp.ed25519.provenance), /^failed: it was signed by key D893FE03.*, which is not in the keyring/);
  assert.match(verdict(openpgp.rsa.provenance, 'rsa', { name: 'other' }), /^failed: it is of chart podinfo 1\.2\.0, not of other 1\.2\.0/);
  assert.match(verdict(openpgp.rsa.provenance, 'rsa', { version: '1.3.0' }), /^failed: it is of chart podinfo 1\.2\.0/);
  assert.match(
    verdict(openpgp.rsa.provenance, 'rsa', { digest: `sha256:${'0'.repeat(64)}` }),
    /^failed: it does not name podinfo-1\.2\.0\.tgz/,
  );
  assert.match(verdict(openpgp.rsa.provenance, 'rsa', {}, Date.UTC(2020, 0, 1)), /^failed: its signature is not of a time/);
  assert.equal(verifyProvenance({ ...chart, provenance: undefined }, keys.rsa, now).result, 'failed');
});

test('text that was not signed is not read', () => {
  const { provenance } = openpgp.rsa;
  const cases: readonly (readonly [string, RegExp])[] = [
    [`files:\n  podinfo-1.2.0.tgz: x\n${provenance}`, /not one message/],
    [`${provenance}\nversion: 9.9.9\n`, /not one message/],
    [`${provenance}${provenance}`, /not one message/],
    [provenance.replace('Hash: SHA512', 'Hash: SHA512\nversion: 9.9.9'), /headers say something that is not signed/],
    [provenance.replace('name: podinfo', '-name: podinfo'), /begins with a dash/],
    [provenance.replace('version: 1.2.0', 'version: 1.2.0\nversion: 1.2.0'), /signature is not right/],
    [provenance.replace(/=....\n-----END/, '=AAAA\n-----END'), /checksum does not match/],
    [provenance.replace(/\n\niQ[\s\S]*?-----END/, '\n\n-----END'), /./],
  ];
  for (const [text, reason] of cases) assert.match(verdict(text), new RegExp(`^failed: .*${reason.source}`), text);
});

test('whatever byte of the message is another, it is not passed, but for white space that was not signed', () => {
  const { provenance } = openpgp.ed25519;
  const begin = provenance.indexOf('\n\n') + 2;
  fc.assert(
    fc.property(fc.integer({ min: begin, max: provenance.indexOf('-----END PGP SIGNATURE') - 1 }), fc.nat({ max: 7 }), (at, bit) => {
      const bytes = Buffer.from(provenance);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      if (/^\s*$/.test(provenance[at] ?? '') || /^\s*$/.test(String.fromCharCode(bytes[at] ?? 0))) return;
      assert.match(verdict(bytes, 'ed25519'), /^failed/);
    }),
    { numRuns: 400 },
  );
});

test('whatever byte of a keyring is another, it has no key, or the same', () => {
  for (const by of ['rsa', 'ed25519', 'subkey'] as const) {
    const armored = openpgp[by].keyring.split('\n');
    const bytes = Buffer.from(armored.slice(2, -3).join(''), 'base64');
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 7 }), (at, bit) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
        try {
          const found = readKeyring(damaged);
          assert.ok(found.every(({ key }) => keys[by].some((known) => known.key.fingerprint === key.fingerprint)));
        } catch (error) {
          assert.ok(error instanceof EvidenceError, String(error));
        }
      }),
      { numRuns: 150 },
    );
  }
});
