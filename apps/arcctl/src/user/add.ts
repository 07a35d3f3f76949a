import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { certificateSecret } from '@arc/apiserver';
import { UsageError } from '@arc/cli-kit';
import { ArcError, codeOf } from '@arc/kernel';
import { clientConfigOf, createKubeClient, loadKubeconfig, writeKubeconfig } from '@arc/kube-client';
import { issueClientCertificate } from '@arc/pki';
import type { CertificateAndKey } from '@arc/pki';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { defaultDataDirectory } from '../default-data-directory.ts';
import { recordCredential } from './credentials.ts';
import { groupsFrom, timeToLive } from './subject-options.ts';

const dayMs = 86_400_000;

/**
 * `arcctl user add`: issues a client certificate by the authority of a data directory and writes a kubeconfig with it. The
 * server is told first, so that no certificate exists that cannot be listed and revoked.
 *
 * @throws ArcError `NotADataDirectory`, `ReservedName`, `ConnectionFailed` when the server does not run
 */
export async function addUser(invocation: Invocation): Promise<void> {
  const { args, clock, signal, streams } = invocation;
  const [user = ''] = args;
  const file = kubeconfigFileFor(invocation, user);
  const groups = groupsFrom(invocation);
  const folder = resolve(textOption(invocation, 'dataDir') ?? defaultDataDirectory(invocation.environment));
  const authority: CertificateAndKey = {
    certPem: await readPart(folder, join('pki', 'ca.crt')),
    keyPem: await readPart(folder, join('pki', 'ca.key')),
  };
  const path = join(folder, 'kubeconfig');
  const administrator = await clientConfigOf(await loadKubeconfig([{ path, text: await readPart(folder, 'kubeconfig') }]), {
    clock,
    context: 'arc',
  });

  const validityDays = Math.max(1, Math.ceil(timeToLive({ options: { ttl: '365d', ...invocation.options } }) / dayMs));
  const clientCertificate = issueClientCertificate(authority, { user, groups, clock, validityDays });
  const { serialNumber, validToDate } = new X509Certificate(clientCertificate.certPem);
  {
    await using client = createKubeClient(administrator, { userAgent: 'arcctl', clock });
    await recordCredential(client, certificateSecret(serialNumber, { user, groups, expires: validToDate.getTime() }), signal);
  }
  const namespace = textOption(invocation, 'namespace');
  await writeKubeconfig(file, {
    name: `${user}@arc`,
    server: administrator.server,
    caPem: authority.certPem,
    clientCertificate,
    ...(namespace !== undefined && { namespace }),
  });
  streams.stdout.write(`user ${user} added: kubeconfig ${file}, valid until ${validToDate.toISOString()}\n`);
  streams.stderr.write(`It has no rights yet: kubectl create rolebinding ${user} --clusterrole=edit --user=${user} -n NAMESPACE\n`);
}

/** Names a file only for users whose name is one. */
function kubeconfigFileFor(invocation: Invocation, user: string): string {
  const given = textOption(invocation, 'kubeconfig');
  if (given !== undefined) return resolve(given);
  if (/^[\w@+][\w.@+-]*$/.test(user)) return resolve(`${user}.kubeconfig`);
  throw new UsageError(`${JSON.stringify(user)} makes no name of a file`, {
    hint: 'Say where the kubeconfig goes with --kubeconfig FILE.',
  });
}

async function readPart(folder: string, name: string): Promise<string> {
  try {
    return await readFile(join(folder, name), 'utf8');
  } catch (error) {
    throw new ArcError('NotADataDirectory', `${join(folder, name)} cannot be read (${codeOf(error) ?? 'unknown error'})`, {
      cause: error,
      hint: 'Run this as the user who runs arcctl up, on its machine, with the same --data-dir.',
    });
  }
}
