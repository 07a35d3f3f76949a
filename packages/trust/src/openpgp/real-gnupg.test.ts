import assert from 'node:assert/strict';
import { chmod, mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findProgram, runCommand } from '@arc/testkit';
import { verifyClearSigned } from './clear-signed.ts';
import { readKeyring } from './keyring.ts';

const gpg = findProgram('gpg');
const skip = gpg === undefined && 'gpg is not installed';
const day = 86_400_000;

interface Gnupg extends AsyncDisposable {
  /** Makes a key that expires after `days` (0: never) and returns its fingerprint. */
  make(name: string, algorithm: string, usage: string, days: number): Promise<string>;
  sign(text: string, name: string, ...args: string[]): Promise<Buffer>;
  keyring(...names: string[]): Promise<Buffer>;
  run(...args: string[]): Promise<string>;
}

async function startGnupg(): Promise<Gnupg> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'gpg-'));
  await chmod(folder.path, 0o700);
  const env = { GNUPGHOME: folder.path, HOME: folder.path };
  const run = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runCommand(
      gpg ?? '',
      ['--batch', '--yes', '--no-tty', '--pinentry-mode', 'loopback', '--passphrase', '', ...args],
      { env },
    );
    assert.equal(code, 0, stderr);
    return stdout;
  };
  return {
    run,
    make: async (name, algorithm, usage, days) => {
      await run('--quick-gen-key', name, algorithm, usage, days === 0 ? 'never' : `${days}d`);
      const listed = await run('--with-colons', '--list-keys', name);
      return /^fpr:+([0-9A-F]{40}):/m.exec(listed)?.[1] ?? '';
    },
    sign: async (text, name, ...args) => {
      await writeFile(join(folder.path, 'text'), text);
      await run('--local-user', name, ...args, '--output', join(folder.path, 'text.asc'), '--clearsign', join(folder.path, 'text'));
      return readFile(join(folder.path, 'text.asc'));
    },
    keyring: async (...names) => {
      await run('--output', join(folder.path, 'keys'), '--export', ...names);
      return readFile(join(folder.path, 'keys'));
    },
    [Symbol.asyncDispose]: async () => {
      await runCommand('gpgconf', ['--kill', 'all'], { env });
      await folder.remove();
    },
  };
}

test('what GnuPG signs is verified as GnuPG would, and what is weak, expired or revoked is not', { skip }, async () => {
  await using gnupg = await startGnupg();
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

  const revocation = await readFile(join(gnupgHome(await gnupg.run('--version')), 'openpgp-revocs.d', `${good}.rev`), 'utf8');
  await gnupg.run('--import', await saved(gnupgHome(await gnupg.run('--version')), revocation.replace(':-----BEGIN', '-----BEGIN')));
  const revoked = await gnupg.keyring('good');
  assert.throws(() => readKeyring(revoked), /was revoked/);
});

function gnupgHome(version: string): string {
  return /^Home: (.*)$/m.exec(version)?.[1] ?? '';
}

async function saved(folder: string, text: string): Promise<string> {
  const path = join(folder, 'revocation');
  await writeFile(path, text);
  return path;
}
