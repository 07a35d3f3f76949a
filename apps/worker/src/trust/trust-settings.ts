import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ArcError, codeOf, messageOf } from '@arc/kernel';
import type { Policy, SigningKey } from '@arc/trust';
import type { WorkerEnvironment } from '../environment.ts';

type TrustEnvironment = Pick<WorkerEnvironment, 'policy' | 'trustDirectory' | 'signingDirectory'>;

/**
 * The verification policy in force: `ARC_POLICY`, else `policy.yaml` of the trust directory, else none. What verifies is loaded only
 * where there is one.
 *
 * @throws ArcError `InvalidPolicy`, `InvalidKey`, `InvalidTrustedRoot`, `TrustUnreadable`
 */
export async function readPolicy({ policy, trustDirectory }: TrustEnvironment): Promise<Policy | undefined> {
  const text = policy ?? (await readTrustFile(trustDirectory, 'policy.yaml'))?.toString('utf8');
  if (text === undefined) return undefined;
  const { parsePolicy } = await import('@arc/trust');
  return parsePolicy(text, (name) => readTrustFile(trustDirectory, name));
}

/** The key receipts are signed with: `signing.key` of the signing directory, with `passphrase` where it is encrypted. @throws ArcError `InvalidKey` */
export async function readSigningKey({ signingDirectory }: TrustEnvironment): Promise<SigningKey | undefined> {
  const pem = await readTrustFile(signingDirectory, 'signing.key');
  if (pem === undefined) return undefined;
  const passphrase = (await readTrustFile(signingDirectory, 'passphrase'))?.toString('utf8').replace(/\r?\n$/, '');
  const { parseSigningKey } = await import('@arc/trust');
  return parseSigningKey(pem.toString('utf8'), 'the key signing.key for receipts', passphrase);
}

async function readTrustFile(directory: string, name: string): Promise<Buffer | undefined> {
  try {
    return await readFile(join(directory, name));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new ArcError('TrustUnreadable', `cannot read ${name} of the mounted Secret: ${messageOf(error)}`, {
      hint: 'Check how the Secret is mounted and who may read it.',
    });
  }
}
