import assert from 'node:assert/strict';
import { chmod, mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../process/run.ts';

/** GnuPG with a home of its own. Disposing it ends its agent. */
export interface Gnupg extends AsyncDisposable {
  /** Makes a key that expires after `days` (0: never) and returns its fingerprint. */
  make(name: string, algorithm: string, usage: string, days: number): Promise<string>;
  /** Signs in clear text. */
  sign(text: string, name: string, ...args: string[]): Promise<Buffer>;
  /** The public keys of these names. */
  keyring(...names: string[]): Promise<Buffer>;
  /** Writes the private keys to a file, as programs with OpenPGP of their own want them. */
  exportPrivateKeys(path: string): Promise<void>;
  /** Revokes a key, by its fingerprint. */
  revoke(fingerprint: string): Promise<void>;
}

/** Starts the given `gpg` program. */
export async function startGnupg(program: string): Promise<Gnupg> {
  const folder = await mkdtempDisposable(join(tmpdir(), 'gpg-'));
  await chmod(folder.path, 0o700);
  const env = { GNUPGHOME: folder.path, HOME: folder.path };
  const common = ['--batch', '--yes', '--no-tty', '--pinentry-mode', 'loopback', '--passphrase', ''];
  const run = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runCommand(program, [...common, ...args], { env });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  return {
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
    exportPrivateKeys: async (path) => {
      await run('--output', path, '--export-secret-keys');
    },
    revoke: async (fingerprint) => {
      const certificate = await readFile(join(folder.path, 'openpgp-revocs.d', `${fingerprint}.rev`), 'utf8');
      // It is made unusable by a colon, so that nobody imports it by mistake.
      await writeFile(join(folder.path, 'revocation'), certificate.replace(':-----BEGIN', '-----BEGIN'));
      await run('--import', join(folder.path, 'revocation'));
    },
    [Symbol.asyncDispose]: async () => {
      await runCommand('gpgconf', ['--kill', 'all'], { env });
      await folder.remove();
    },
  };
}
