import assert from 'node:assert/strict';
import { mkdtempDisposable, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf, findProgram, findTool, runCommand, startGnupg } from '@arc/testkit';
import { readKeyring } from '../openpgp/keyring.ts';
import { verifyProvenance } from './verify-provenance.ts';

const helm = findTool('helm');
const gpg = findProgram('gpg');
const missing = helm === undefined ? 'helm' : gpg === undefined ? 'gpg' : undefined;

test('what helm signs is verified', { skip: missing !== undefined && `${missing} is not installed` }, async () => {
  await using gnupg = await startGnupg(gpg ?? '');
  await using folder = await mkdtempDisposable(join(tmpdir(), 'arc-helm-'));
  const fingerprint = await gnupg.make('release', 'rsa2048', 'sign', 0);
  await gnupg.make('stranger', 'ed25519', 'sign', 0);
  const keys = join(folder.path, 'private.gpg');
  await gnupg.exportPrivateKeys(keys);
  for (const args of [
    ['create', 'podinfo'],
    ['package', '--sign', '--key', 'release', '--keyring', keys, 'podinfo'],
  ]) {
    const { code, stderr } = await runCommand(helm ?? '', args, { cwd: folder.path, env: { HOME: folder.path } });
    assert.equal(code, 0, stderr);
  }
  const archive = await readFile(join(folder.path, 'podinfo-0.1.0.tgz'));
  const provenance = await readFile(join(folder.path, 'podinfo-0.1.0.tgz.prov'));
  const chart = { name: 'podinfo', version: '0.1.0', digest: digestOf(archive), provenance };
  const now = Date.now() + 60_000;
  const passed = verifyProvenance(chart, readKeyring(await gnupg.keyring('release')), now);
  assert.deepEqual([passed.result, passed.detail], ['passed', `${chart.digest} by ${fingerprint} release`]);
  const digest = digestOf(Buffer.concat([archive, Buffer.from('x')]));
  assert.equal(verifyProvenance({ ...chart, digest }, readKeyring(await gnupg.keyring('release')), now).result, 'failed');
  assert.equal(verifyProvenance(chart, readKeyring(await gnupg.keyring('stranger')), now).result, 'failed');
});
