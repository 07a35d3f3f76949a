import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ArcError, codeOf } from '@arc/kernel';
import { createAuthority, issueClientCertificate, issueServerCertificate, needsRenewal } from '@arc/pki';
import type { CertificateAndKey } from '@arc/pki';
import { writeFileAtomically } from './data-directory.ts';

export interface Certificates {
  readonly authority: CertificateAndKey;
  readonly server: CertificateAndKey;
  /** The human administrator: user `admin`, group `system:masters`. */
  readonly admin: CertificateAndKey;
  /** ARC's controllers and the engine: user `system:arc`, who may do what the ClusterRole of that name lists. */
  readonly controllers: CertificateAndKey;
  /** Garbage collection, namespace deletion, role aggregation: user `system:arc-standalone`, as above. */
  readonly standalone: CertificateAndKey;
}

/**
 * Loads the certificates of a data directory, issuing what is missing or due for renewal. The authority itself is made
 * once and never replaced silently: kubeconfigs that were handed out depend on it.
 *
 * @throws ArcError `BadDataDirectory` when the authority's certificate and key do not both exist
 */
export async function loadCertificates(folder: string, host: string): Promise<Certificates> {
  const authority = await loadAuthority(folder);
  const addresses = [...new Set(['127.0.0.1', '::1', ...(isIP(host) === 0 || isWildcard(host) ? [] : [host])])];
  const names = [...new Set(['localhost', hostname(), ...(isIP(host) === 0 ? [host] : [])])];
  const issuerPem = authority.certPem;
  return {
    authority,
    server: await loadOrIssue(
      join(folder, 'server'),
      (pem) => needsRenewal(pem, { issuerPem, names, addresses }),
      () => issueServerCertificate(authority, { names, addresses }),
    ),
    admin: await loadOrIssue(
      join(folder, 'admin'),
      (pem) => needsRenewal(pem, { issuerPem }),
      () => issueClientCertificate(authority, { user: 'admin', groups: ['system:masters'] }),
    ),
    controllers: await loadOrIssue(
      join(folder, 'controllers'),
      (pem) => needsRenewal(pem, { issuerPem }),
      () => issueClientCertificate(authority, { user: 'system:arc', groups: [] }),
    ),
    standalone: await loadOrIssue(
      join(folder, 'standalone'),
      (pem) => needsRenewal(pem, { issuerPem }),
      () => issueClientCertificate(authority, { user: 'system:arc-standalone', groups: [] }),
    ),
  };
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

async function loadAuthority(folder: string): Promise<CertificateAndKey> {
  const base = join(folder, 'ca');
  const [certPem, keyPem] = [await readOptional(`${base}.crt`), await readOptional(`${base}.key`)];
  if (certPem !== undefined && keyPem !== undefined) return { certPem, keyPem };
  if (certPem !== undefined || keyPem !== undefined) {
    const missing = certPem === undefined ? `${base}.crt` : `${base}.key`;
    throw new ArcError('BadDataDirectory', `the certificate authority is incomplete: ${missing} is missing`, {
      hint: `Restore the file, or remove ca.crt and ca.key from ${folder} to make a new authority (kubeconfigs handed out before stop working).`,
    });
  }
  const authority = createAuthority({ commonName: 'arc-embedded-ca' });
  await store(base, authority);
  return authority;
}

async function loadOrIssue(base: string, isDue: (certPem: string) => boolean, issue: () => CertificateAndKey): Promise<CertificateAndKey> {
  const [certPem, keyPem] = [await readOptional(`${base}.crt`), await readOptional(`${base}.key`)];
  if (certPem !== undefined && keyPem !== undefined && !isDue(certPem)) return { certPem, keyPem };
  const issued = issue();
  await store(base, issued);
  return issued;
}

async function store(base: string, pair: CertificateAndKey): Promise<void> {
  await writeFileAtomically(`${base}.key`, pair.keyPem);
  await writeFileAtomically(`${base}.crt`, pair.certPem);
}

async function readOptional(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
