import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findProgram, startGnupg } from '@arc/testkit';
import { verifyClearSigned } from './clear-signed.ts';
import { readKeyring } from './keyring.ts';

const gpg = findProgram('gpg');
const skip = gpg === undefined && 'gpg is not installed';
const day = 86_400_000;

test('what GnuPG signs is verified as GnuPG would, and what is weak, expired or revoked is not', { skip }, async () => {
  await using gnupg = await startGnupg(gpg ?? '');
  const now = Date.now();
  const soon = now + 60_000;
  const text = '- a dash\nFrom here\ntrailing   \n\nend\n';
  const good = await gnupg.make('good', 'ed25519', 'sign', 30);
  const message = await gnupg.sign(text, 'good');
  const keys = readKeyring(await gnupg.keyring('good'));
  assert.deepEqual(
    keys.map(({ owner, userId }) => [owner, userId]),
    [[good, 'good']],
  );
  assert.equal(verifyClearSigned(message, keys, soon).text, text.trimEnd());
  assert.throws(() => verifyClearSigned(message, keys, now + 31 * day), /key [0-9A-F]+ has expired/);
  const brief = await gnupg.sign(text, 'good', '--default-sig-expire', '2d');
  assert.equal(verifyClearSigned(brief, keys, soon).signer.owner, good);
  assert.throws(() => verifyClearSigned(brief, keys, now + 3 * day), /its signature has expired/);
  const weak = await gnupg.sign(text, 'good', '--digest-algo', 'SHA1', '--weak-digest', 'MD5', '--allow-weak-digest-algos');
  assert.throws(() => verifyClearSigned(weak, keys, soon), /digest 2, which is weak/);

  await gnupg.make('small', 'rsa1024', 'sign', 0);
  assert.throws(() => readKeyring(Buffer.from('')), /no key that may sign/);
  const small = await gnupg.keyring('small');
  assert.throws(() => readKeyring(small), /of 1024 bits is too weak/);
  await gnupg.make('certifier', 'ed25519', 'cert', 0);
  const certifier = await gnupg.keyring('certifier');
  assert.throws(() => readKeyring(certifier), /no key that may sign/);
  await gnupg.make('curve', 'nistp256', 'sign', 0);
  const curve = await gnupg.keyring('curve');
  assert.throws(() => readKeyring(curve), /keys of algorithm 19 are not supported/);
  assert.equal(readKeyring(await gnupg.keyring('curve', 'good', 'small')).length, 1);

  await gnupg.revoke(good);
  const revoked = await gnupg.keyring('good');
  assert.throws(() => readKeyring(revoked), /was revoked/);
});
