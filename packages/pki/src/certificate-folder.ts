import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ArcError, codeOf, makePrivateDirectory, writeFileAtomically } from '@arc/kernel';
import { createAuthority, issueClientCertificate, issueServerCertificate } from './authority.ts';
import type { CertificateAndKey } from './authority.ts';
import { needsRenewal } from './renewal.ts';

/** A folder with an authority and what it has issued: `NAME.crt` and `NAME.key`, PEM, mode 0600. */
export interface CertificateFolder {
  readonly authority: CertificateAndKey;
  /** For a server that listens on a host; also valid for this machine's names and the loopback addresses. */
  server(host: string): Promise<CertificateAndKey>;
  /** For a client, kept under a name. */
  client(name: string, subject: { readonly user: string; readonly groups: readonly string[] }): Promise<CertificateAndKey>;
}

/**
 * Opens a folder of certificates, making it and its authority when they are missing. What is asked for is issued once and
 * again when it is due for renewal. The authority itself is never replaced silently: kubeconfigs that were handed out
 * depend on it.
 *
 * @throws ArcError `BadDataDirectory` when the authority's certificate and key do not both exist
 */
export async function openCertificateFolder(folder: string, options: { readonly authority: string }): Promise<CertificateFolder> {
  makePrivateDirectory(folder);
  const authority = await loadAuthority(folder, options.authority);
  const issuerPem = authority.certPem;
  return {
    authority,
    server: (host) => {
      const addresses = [...new Set(['127.0.0.1', '::1', ...(isIP(host) === 0 || isWildcard(host) ? [] : [host])])];
      const names = [...new Set(['localhost', hostname(), ...(isIP(host) === 0 ? [host] : [])])];
      return loadOrIssue(
        join(folder, 'server'),
        (pem) => needsRenewal(pem, { issuerPem, names, addresses }),
        () => issueServerCertificate(authority, { names, addresses }),
      );
    },
    client: (name, subject) =>
      loadOrIssue(
        join(folder, name),
        (pem) => needsRenewal(pem, { issuerPem }),
        () => issueClientCertificate(authority, subject),
      ),
  };
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

async function loadAuthority(folder: string, commonName: string): Promise<CertificateAndKey> {
  const base = join(folder, 'ca');
  const [certPem, keyPem] = [await readOptional(`${base}.crt`), await readOptional(`${base}.key`)];
  if (certPem !== undefined && keyPem !== undefined) return { certPem, keyPem };
  if (certPem !== undefined || keyPem !== undefined) {
    const missing = certPem === undefined ? `${base}.crt` : `${base}.key`;
    throw new ArcError('BadDataDirectory', `the certificate authority is incomplete: ${missing} is missing`, {
      hint: `Restore the file, or remove ca.crt and ca.key from ${folder} to make a new authority (kubeconfigs handed out before stop working).`,
    });
  }
  const authority = createAuthority({ commonName });
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
