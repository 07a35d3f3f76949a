import { hostname } from 'node:os';
import { followTlsFiles } from '@arc/apiserver';
import type { Followed, TlsOptions } from '@arc/apiserver';
import { UsageError } from '@arc/cli-kit';
import type { Clock, Logger } from '@arc/kernel';
import { createAuthority, issueServerCertificate } from '@arc/pki';

/**
 * The certificate a program serves with: that of two files, which are followed, or without them one it has made for itself and that
 * goes with the process: good for probes and for clients that check nothing.
 *
 * @throws ArcError `InvalidServingCertificate`; the error of the file system; UsageError
 */
export async function servingCertificate(
  { certFile, keyFile }: { readonly certFile: string | undefined; readonly keyFile: string | undefined },
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<Pick<Followed<TlsOptions>, 'current' | 'onChange'> & Disposable> {
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new UsageError('a certificate needs its key, and a key its certificate', { hint: 'Name both files, or none.' });
  }
  if (certFile !== undefined && keyFile !== undefined) return await followTlsFiles({ certFile, keyFile }, { clock, logger });
  logger.warn('there is no certificate, so one is made that nobody knows', { hint: 'Name the files of a certificate and its key.' });
  const tls = unknownCertificate();
  return { current: () => tls, onChange: () => ({ [Symbol.dispose]: () => {} }), [Symbol.dispose]: () => {} };
}

/** A certificate for the names of this machine, of an authority that nobody knows. */
export function unknownCertificate(): TlsOptions {
  const authority = createAuthority({ commonName: 'arc-self-signed' });
  const { certPem, keyPem } = issueServerCertificate(authority, { names: ['localhost', hostname()], addresses: ['127.0.0.1', '::1'] });
  return { cert: `${certPem}${authority.certPem}`, key: keyPem };
}
